package import CloudCore
import Compute
package import HostModel
package import SQL
import Synchronization

/// Block Storage in one table of a test's database. A volume has at most one attachment. Every host reaches it.
package final class MemoryVolumes: VolumesNeed {
    /// The attachments that a machine may use, on whatever host the machine is.
    private let connections = Mutex<Set<String>>([])
    /// The attachments that have ended on a host.
    private let ended = Mutex<Set<String>>([])
    private let database: Database

    package init(_ database: Database) { self.database = database }

    package static let schema = Schema(
        service: "test-volumes",
        [
            Migration(
                1, "volumes",
                """
                CREATE TABLE test_volume (
                  id TEXT NOT NULL PRIMARY KEY, status TEXT NOT NULL, attachment TEXT, server TEXT, image TEXT);
                CREATE TABLE test_volume_snapshot (id TEXT NOT NULL PRIMARY KEY, volume TEXT NOT NULL);
                """)
        ])

    package func volume(_ id: ID<Kind.Volume>, for principal: Principal) async throws -> VolumeFacts {
        VolumeFacts(sizeGiB: 1, isBootable: true)
    }

    package func snapshot(_ id: ID<Kind.Snapshot>, for principal: Principal) async throws -> VolumeFacts {
        VolumeFacts(sizeGiB: 1)
    }

    package func host(of volumes: [ID<Kind.Volume>], in tx: Transaction) throws -> String? { nil }

    package func make(_ volume: NewVolume, for host: String, by principal: Principal) async throws {
        try await database.write { tx in try self.add(volume.id, in: tx) }
    }

    /// Adds a volume that no server uses.
    package func add(_ id: ID<Kind.Volume>, in tx: Transaction) throws {
        try tx.execute("INSERT INTO test_volume (id, status) VALUES (?, 'available') ON CONFLICT DO NOTHING", id)
    }

    package func delete(_ id: ID<Kind.Volume>, for principal: Principal?, in tx: Transaction) throws {
        try tx.execute("DELETE FROM test_volume WHERE id = ? AND attachment IS NULL", id)
    }

    package func reserve(_ use: VolumeUse, in tx: Transaction) throws {
        let changed = try tx.execute(
            """
            UPDATE test_volume SET status = 'reserved', attachment = ?, server = ?
            WHERE id = ? AND (attachment IS NULL OR attachment = ?)
            """, use.attachment, use.server, use.volume, use.attachment)
        if changed == 0 { throw CloudError.badRequest("Volume \(use.volume) is in use.") }
    }

    package func complete(_ attachment: ID<Kind.Attachment>, in tx: Transaction) throws {
        try set("in-use", attachment, in: tx)
    }

    package func beginDetaching(_ attachment: ID<Kind.Attachment>, in tx: Transaction) throws {
        try set("detaching", attachment, in: tx)
    }

    package func keep(_ attachment: ID<Kind.Attachment>, in tx: Transaction) throws {
        try set("in-use", attachment, in: tx)
    }

    private func set(_ status: String, _ attachment: ID<Kind.Attachment>, in tx: Transaction) throws {
        try tx.execute("UPDATE test_volume SET status = ? WHERE attachment = ?", status, attachment)
    }

    package func release(_ attachment: ID<Kind.Attachment>, in tx: Transaction) throws {
        try tx.execute(
            "UPDATE test_volume SET status = 'available', attachment = NULL, server = NULL WHERE attachment = ?",
            attachment)
    }

    package func renew(_ old: ID<Kind.Attachment>, as new: ID<Kind.Attachment>, in tx: Transaction) throws {
        try tx.execute(
            "UPDATE test_volume SET status = 'reserved', attachment = ? WHERE attachment = ?", new, old)
    }

    package func image(
        _ id: ID<Kind.Image>, fitting volume: ID<Kind.Volume>, for principal: Principal
    ) async throws -> VolumeImageFacts {
        VolumeImageFacts(id: id, name: "image", isActive: true, sizeBytes: 1)
    }

    package func reimage(
        _ id: ID<Kind.Volume>, from image: VolumeImageFacts, for principal: Principal, in tx: Transaction
    ) throws {
        try tx.execute("UPDATE test_volume SET image = ? WHERE id = ?", image.id, id)
    }

    package func awaitWhole(_ id: ID<Kind.Volume>) async throws {}

    package func takeSnapshots(_ snapshots: [NewSnapshot], for principal: Principal, in tx: Transaction) throws {
        for new in snapshots {
            try tx.execute("INSERT INTO test_volume_snapshot (id, volume) VALUES (?, ?)", new.id, new.volume)
        }
    }

    package func awaitWhole(_ id: ID<Kind.Snapshot>) async throws {
        let row = try await database.read { tx in
            try tx.row("SELECT id FROM test_volume_snapshot WHERE id = ?", id)
        }
        if row == nil { throw CloudError.conflict("Snapshot \(id) could not be taken.") }
    }

    package func delete(_ id: ID<Kind.Snapshot>, for principal: Principal) async throws {
        try await database.write { tx in _ = try tx.execute("DELETE FROM test_volume_snapshot WHERE id = ?", id) }
    }

    package func tellFull(_ disks: [String], pausing server: ID<Kind.Server>, in tx: Transaction) throws {}

    package func awaitGrown(_ id: ID<Kind.Volume>) async throws {}

    package func connect(_ use: VolumeUse, on host: String) async throws -> ConnectedVolume {
        let row = try await database.read { tx in
            try tx.row("SELECT id FROM test_volume WHERE attachment = ?", use.attachment)
        }
        guard row != nil else { throw CloudError.notFound("attachment", use.attachment.text) }
        // A host refuses an attachment that it has ended.
        if ended.withLock({ $0.contains(use.attachment.text) }) {
            throw CloudError.conflict("Attachment \(use.attachment) has ended.")
        }
        _ = connections.withLock { $0.insert(use.attachment.text) }
        return ConnectedVolume(path: .file(path: "/test/\(use.volume).raw", isQCOW2: false))
    }

    package func disconnect(_ use: VolumeUse, from host: String) async throws {
        _ = connections.withLock { $0.remove(use.attachment.text) }
        _ = ended.withLock { $0.insert(use.attachment.text) }
    }

    /// Returns a line for each volume in the order of their ids, and one for each connection.
    package func lines(in tx: Transaction) throws -> [String] {
        let rows = try tx.rows("SELECT id, status, coalesce(server, ''), image FROM test_volume ORDER BY id")
        let snapshots = try tx.rows("SELECT id FROM test_volume_snapshot ORDER BY id").map {
            "snapshot \(try $0.value(at: 0) as String)"
        }
        return try rows.map { row in
            let (id, status, server): (String, String, String) = (
                try row.value(at: 0), try row.value(at: 1), try row.value(at: 2)
            )
            let image: String? = try row.value(at: 3)
            return "\(id) \(status) \(server)" + (image.map { " of \($0)" } ?? "")
        } + snapshots + connections.withLock { $0.sorted() }
    }
}
