import AgentCore
import BlockStorage
import CloudCore
import HostModel
import Images

/// The part of Images that Block Storage needs.
struct ImagesForBlockStorage: BlockStorageImages {
    let images: ImagesAssembly
    let fleet: Fleet

    func image(_ id: ID<Kind.Image>, for principal: Principal) async throws -> VolumeImageFacts {
        try await images.volumeFacts(of: id, by: principal)
    }

    func images(named name: String, for principal: Principal) async throws -> [ID<Kind.Image>] {
        try await images.ids(named: name, most: 2, by: principal)
    }

    func machineImage(_ id: ID<Kind.Image>) async throws -> MachineImage { try await images.machineImage(id) }

    func ensure(_ image: VolumeImage, for principal: Principal) async throws {
        try await images.reserve(image, by: principal)
    }

    func fill(_ id: ID<Kind.Image>, with copy: DiskSnapshot, on host: String, for principal: Principal) async throws {
        let bytes = try await fleet.link(to: host).bytes(of: copy)
        try await images.fill(id, with: bytes, size: copy.sizeBytes, by: principal)
    }

    func delete(_ id: ID<Kind.Image>, for principal: Principal) async throws {
        try await images.remove(id, by: principal)
    }
}
