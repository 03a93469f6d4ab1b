import AgentCore
import CloudCore
import Compute
import Drivers
import Images

/// What Compute asks of Images.
struct ImagesForCompute: ImagesNeed {
    let images: ImagesAssembly
    let fleet: Fleet

    func image(_ id: String, for principal: Principal) async throws -> ImageFacts {
        let image = try await images.summary(of: id, by: principal)
        return ImageFacts(
            id: image.id, name: image.name, isActive: image.isActive, minDiskGiB: image.minDisk, minMemoryMiB: image.minRAM,
            sizeBytes: image.size, properties: image.properties)
    }

    func ensure(_ image: NewImage, for principal: Principal) async throws {
        try await images.reserve(
            image.id, name: image.name, minDisk: image.minDiskGiB, properties: image.properties, by: principal)
    }

    func fill(_ id: String, with snapshot: MachineSnapshot, on host: String, for principal: Principal) async throws {
        let copy = DiskSnapshot(
            path: snapshot.path, format: snapshot.format, virtualBytes: snapshot.virtualBytes, sizeBytes: snapshot.sizeBytes)
        try await images.fill(id, with: try await fleet.link(to: host).bytes(of: copy), size: copy.sizeBytes, by: principal)
    }

    func delete(_ id: String, for principal: Principal) async throws { try await images.remove(id, by: principal) }

    func backups(of server: String, kind: String, for principal: Principal) async throws -> [String] {
        try await images.list(
            ["image_type": "backup", "backup_type": kind, "instance_uuid": server], newestFirst: true, by: principal)
    }
}
