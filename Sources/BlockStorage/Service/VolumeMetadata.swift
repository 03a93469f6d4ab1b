import Access
import CloudCore

/// The metadata of a volume, and what it keeps of its image's properties.
struct VolumeMetadata: Sendable {
    let service: VolumeService

    func get(_ id: ID<Kind.Volume>, by caller: Caller) async throws -> JSONObject {
        try await service.context.read { tx in
            let volume = try service.require(id, by: caller, in: tx)
            try caller.require(.getMetadata, of: volume.projectID)
            return volume.metadata
        }
    }

    /// Sets items.
    ///
    /// - Parameters:
    ///   - action: the rule that is asked.
    ///   - isWhole: whether items that are not given are removed.
    /// - Returns: all items.
    func set(
        _ given: JSONObject, _ action: Action, of id: ID<Kind.Volume>, isWhole: Bool, by caller: Caller
    ) async throws -> JSONObject {
        try await service.change(id, action, by: caller) { volume, _ in
            try Self.requireOpen(volume, "Updating")
            volume.metadata = isWhole ? given : Self.merged(volume.metadata, given)
        }.metadata
    }

    func remove(_ key: String, of id: ID<Kind.Volume>, by caller: Caller) async throws {
        _ = try await service.change(id, .deleteMetadata, by: caller) { volume, _ in
            guard volume.metadata[key] != nil else { throw Self.missing(key, id) }
            try Self.requireOpen(volume, "Deleting")
            volume.metadata[key] = nil
        }
    }

    // MARK: The image's properties

    func imageProperties(of id: ID<Kind.Volume>, by caller: Caller) async throws -> JSONObject {
        try await service.context.read { tx in
            let volume = try service.require(id, by: caller, in: tx)
            try caller.require(.getMetadata, of: volume.projectID)
            return volume.imageMetadata
        }
    }

    func setImageProperties(
        _ given: JSONObject, of id: ID<Kind.Volume>, by caller: Caller
    ) async throws -> JSONObject {
        try await service.change(id, .setImageMetadata, by: caller) { volume, _ in
            try Self.requireOpen(volume, "Updating")
            volume.imageMetadata = Self.merged(volume.imageMetadata, given)
        }.imageMetadata
    }

    func removeImageProperty(_ key: String, of id: ID<Kind.Volume>, by caller: Caller) async throws {
        _ = try await service.change(id, .removeImageMetadata, by: caller) { volume, _ in
            guard volume.imageMetadata[key] != nil else {
                throw CloudError.notFound("Glance metadata for volume/snapshot \(id) cannot be found.")
            }
            try Self.requireOpen(volume, "Deleting")
            volume.imageMetadata[key] = nil
        }
    }

    // MARK: Rules

    static func merged(_ old: JSONObject, _ given: JSONObject) -> JSONObject {
        given.members.reduce(into: old) { $0[$1.key] = $1.value }
    }

    static func missing(_ key: String, _ id: ID<Kind.Volume>) -> CloudError {
        .notFound("Volume \(id) has no metadata with key \(key).")
    }

    private static func requireOpen(_ volume: Volume, _ what: String) throws {
        guard ![.maintenance, .uploading].contains(volume.status) else {
            throw VolumeRefusal.volume(
                "\(what) volume metadata is not allowed for volumes in \(volume.status.rawValue) status.")
        }
    }
}
