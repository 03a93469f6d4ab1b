import Blobs
import CloudCore
import ControlPlane
import DriverSimulated
import HTTPTypes
import HostModel
import Synchronization
import TestSupport
import Testing

/// Calls about backups.
extension VolumeClient {
    /// Makes a backup and carries out its workflow; returns its id.
    func backup(
        of volume: String, _ more: JSONObject = [:], location: SourceLocation = #_sourceLocation
    ) async throws -> String {
        var wish: JSONObject = ["volume_id": .string(volume), "name": "b"]
        for (name, value) in more.members { wish[name] = value }
        let made = await good(.post, "/backups", ["backup": .object(wish)], location: location)
        try await cloud.settleAll()
        return try #require(made["backup"]?["id"]?.string, sourceLocation: location)
    }

    func show(backup id: String, minor: Int? = nil) async -> JSON {
        await good(.get, "/backups/\(id)", minor: minor)["backup"] ?? .null
    }

    /// Restores a backup and carries out the workflow; returns the volume's id.
    func restore(
        _ backup: String, _ wish: JSONObject = [:], location: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let body: JSON = ["restore": .object(wish)]
        let begun = await good(.post, "/backups/\(backup)/restore", body, location: location)
        try await cloud.settleAll()
        return try #require(begun["restore"]?["volume_id"]?.string, sourceLocation: location)
    }

    /// Writes a piece to a volume of the only host, as a guest does.
    func write(_ byte: UInt8, at offset: Int64, to volume: String) throws {
        let host = try #require(try cloud.cloud.fleet.simulated?.host("host-1"))
        try host.write([UInt8](repeating: byte, count: 4096), at: offset, to: ID(volume))
    }

    /// Returns the first byte of a piece of a volume.
    func read(at offset: Int64, from volume: String) throws -> UInt8? {
        let host = try #require(try cloud.cloud.fleet.simulated?.host("host-1"))
        return try host.read(1, at: offset, from: ID(volume)).first
    }

    /// Returns the stored chunks, each with its project.
    func chunks() async throws -> [(owner: String, id: ChunkID)] {
        let found = Mutex<[(owner: String, id: ChunkID)]>([])
        try await cloud.chunks.list { owner, chunks in
            found.withLock { $0 += chunks.map { (owner: owner, id: $0.id) } }
        }
        return found.withLock { $0 }
    }
}
