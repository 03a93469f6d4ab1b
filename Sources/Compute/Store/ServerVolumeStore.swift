import CloudCore
import SQL

/// The rows of servers' volumes.
struct ServerVolumeStore: Sendable {
    private static let columns = """
        id, server_id, volume_id, attachment_id, device, boot_index, bus, is_cd, tag, is_deleted_with_server
        """

    /// Returns the volumes of a server in the order in which it got them.
    func list(of server: ID<Kind.Server>, in tx: Transaction) throws -> [ServerVolume] {
        try list(of: [server], in: tx)[server] ?? []
    }

    /// Returns the volumes of each server in the order in which it got them.
    func list(of servers: [ID<Kind.Server>], in tx: Transaction) throws -> [ID<Kind.Server>: [ServerVolume]] {
        let rows = try tx.pieces(of: servers.map(\.sql)).flatMap { list, arguments in
            try tx.rows(
                "SELECT \(Self.columns) FROM compute_server_volume WHERE server_id \(list) ORDER BY server_id, number",
                arguments: arguments)
        }
        return Dictionary(grouping: try rows.map(Self.volume), by: \.serverID)
    }

    func find(_ volume: ID<Kind.Volume>, of server: ID<Kind.Server>, in tx: Transaction) throws -> ServerVolume? {
        try tx.row(
            "SELECT \(Self.columns) FROM compute_server_volume WHERE server_id = ? AND volume_id = ?", server, volume
        ).map(Self.volume)
    }

    /// Returns the use that an attachment belongs to; nil if no server has it.
    func find(_ attachment: ID<Kind.Attachment>, in tx: Transaction) throws -> ServerVolume? {
        try tx.row("SELECT \(Self.columns) FROM compute_server_volume WHERE attachment_id = ?", attachment)
            .map(Self.volume)
    }

    func insert(_ volume: ServerVolume, in tx: Transaction) throws {
        try tx.execute(
            """
            INSERT INTO compute_server_volume (\(Self.columns), number)
            SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce(max(number), 0) + 1
            FROM compute_server_volume WHERE server_id = ?
            ON CONFLICT DO NOTHING
            """, volume.id, volume.serverID, volume.volumeID, volume.attachmentID, volume.device, volume.bootIndex,
            volume.bus, volume.isCD, volume.tag, volume.isDeletedWithServer, volume.serverID)
    }

    func setDeletedWithServer(_ isDeleted: Bool, _ volume: ServerVolume, in tx: Transaction) throws {
        try tx.execute("UPDATE compute_server_volume SET is_deleted_with_server = ? WHERE id = ?", isDeleted, volume.id)
    }

    func setAttachment(_ id: ID<Kind.Attachment>, of volume: ServerVolume, in tx: Transaction) throws {
        try tx.execute("UPDATE compute_server_volume SET attachment_id = ? WHERE id = ?", id, volume.id)
    }

    /// Removes the row of a use. It has no effect if there is none.
    func remove(_ id: String, in tx: Transaction) throws {
        try tx.execute("DELETE FROM compute_server_volume WHERE id = ?", id)
    }

    private static func volume(_ row: Row) throws -> ServerVolume {
        ServerVolume(
            id: try row.value(at: 0), serverID: try row.value(at: 1), volumeID: try row.value(at: 2),
            attachmentID: try row.value(at: 3), device: try row.value(at: 4), bootIndex: try row.value(at: 5),
            bus: try row.value(at: 6), isCD: try row.value(at: 7), tag: try row.value(at: 8),
            isDeletedWithServer: try row.value(at: 9))
    }
}

extension Migration {
    static func serverVolumes(_ number: Int) -> Migration {
        Migration(
            number, "volumes of servers",
            """
            CREATE TABLE compute_server_volume (
              id TEXT PRIMARY KEY, server_id TEXT NOT NULL, volume_id TEXT NOT NULL, attachment_id TEXT NOT NULL,
              number INTEGER NOT NULL, device TEXT NOT NULL, boot_index INTEGER, bus TEXT, is_cd INTEGER NOT NULL,
              tag TEXT, is_deleted_with_server INTEGER NOT NULL);
            CREATE UNIQUE INDEX compute_server_volume_server ON compute_server_volume (server_id, volume_id);
            CREATE UNIQUE INDEX compute_server_volume_attachment ON compute_server_volume (attachment_id);
            """)
    }
}
