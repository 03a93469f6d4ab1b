import AgentCore
import CloudCore
import Compute
import HostModel
import Images

/// The part of Images that Compute needs.
struct ImagesForCompute: ImagesNeed {
    let images: ImagesAssembly
    let fleet: Fleet

    func image(_ id: ID<Kind.Image>, for principal: Principal) async throws -> ImageFacts {
        try await images.facts(of: id, by: principal)
    }

    func machineImage(_ id: ID<Kind.Image>) async throws -> MachineImage { try await images.machineImage(id) }

    func boot(_ properties: [String: String], of project: String) async throws -> MachineSpec.Boot {
        try await images.boot(properties, of: project)
    }

    func ensure(_ image: NewImage, for principal: Principal) async throws { try await images.reserve(image, by: principal) }

    func fill(_ id: ID<Kind.Image>, with snapshot: DiskSnapshot, on host: String, for principal: Principal) async throws {
        let bytes = try await fleet.link(to: host).bytes(of: snapshot)
        try await images.fill(id, with: bytes, size: snapshot.sizeBytes, by: principal)
    }

    func publish(_ id: ID<Kind.Image>, for principal: Principal) async throws {
        try await images.publish(id, by: principal)
    }

    func delete(_ id: ID<Kind.Image>, for principal: Principal) async throws { try await images.remove(id, by: principal) }

    func backups(of server: ID<Kind.Server>, kind: String, for principal: Principal) async throws -> [ID<Kind.Image>] {
        try await images.newest(
            with: ["image_type": "backup", "backup_type": kind, "instance_uuid": server.text], by: principal)
    }
}
