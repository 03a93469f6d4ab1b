import Blobs
import CloudCore
import SQL

/// The rows of lists of pieces, and of the pieces. A piece that is all zeros has no row.
struct BackupManifestStore: Sendable {
    typealias Piece = (position: Int, chunk: ChunkID)

    private static let columns = "id, project_id, bytes, done, freed_at"

    func find(_ id: ID<BackupManifest>, in tx: Transaction) throws -> BackupManifest? {
        try tx.row("SELECT \(Self.columns) FROM volume_backup_manifest WHERE id = ?", id).map(Self.manifest)
    }

    func insert(_ manifest: BackupManifest, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO volume_backup_manifest (\(Self.columns)) VALUES (?, ?, ?, ?, ?)", manifest.id,
            manifest.projectID, manifest.bytes, manifest.done, manifest.freedAt)
    }

    /// Notes the size of the content.
    func setSize(_ bytes: Int64, of id: ID<BackupManifest>, in tx: Transaction) throws {
        try tx.execute("UPDATE volume_backup_manifest SET bytes = ? WHERE id = ?", bytes, id)
    }

    /// Adds pieces. Those that are there already stay as they are.
    ///
    /// - Parameter done: the number of pieces of which the rows are complete then.
    /// - Throws: `conflict` if nobody has the list any more.
    func add(_ pieces: [Piece], to id: ID<BackupManifest>, done: Int, in tx: Transaction) throws {
        let isOwned = try tx.execute(
            "UPDATE volume_backup_manifest SET done = ? WHERE id = ? AND freed_at IS NULL AND done <= ?", done, id,
            done)
        guard isOwned > 0 else { throw CloudError.conflict("The backup is not wanted any more.") }
        guard !pieces.isEmpty else { return }
        let rows = pieces.map { _ in "(?, ?, ?)" }.joined(separator: ", ")
        try tx.execute(
            """
            INSERT INTO volume_backup_piece (manifest_id, position, chunk) VALUES \(rows) ON CONFLICT DO NOTHING
            """, arguments: pieces.flatMap { [id.sql, $0.position.sql, $0.chunk.text.sql] })
    }

    /// Returns pieces in the order of their places.
    func pieces(of id: ID<BackupManifest>, from position: Int, most: Int, in tx: Transaction) throws -> [Piece] {
        try tx.rows(
            """
            SELECT position, chunk FROM volume_backup_piece WHERE manifest_id = ? AND position >= ?
            ORDER BY position LIMIT ?
            """, id, position, most
        ).map { row in
            let text: String = try row.value(at: 1)
            guard let chunk = ChunkID(text) else { throw CloudError.internalError("a piece '\(text)' is no chunk") }
            return (position: try row.value(at: 0), chunk: chunk)
        }
    }

    func count(of id: ID<BackupManifest>, in tx: Transaction) throws -> Int {
        try tx.value("SELECT count(*) FROM volume_backup_piece WHERE manifest_id = ?", id) ?? 0
    }

    /// Returns those of a project's chunks that are pieces of something.
    func used(_ chunks: [ChunkID], of project: String, in tx: Transaction) throws -> Set<ChunkID> {
        Set(
            try tx.pieces(of: chunks.map(\.text.sql)).flatMap { list, arguments in
                try tx.rows(
                    """
                    SELECT DISTINCT p.chunk FROM volume_backup_piece p
                    JOIN volume_backup_manifest m ON m.id = p.manifest_id
                    WHERE p.chunk \(list) AND m.project_id = ?
                    """, arguments: arguments + [project.sql])
            }.compactMap { ChunkID(try $0.value(at: 0)) })
    }

    /// Returns the chunks that are pieces of something, each once for each project, in the order of their names. All
    /// projects of the last chunk are there.
    ///
    /// - Parameter last: the chunk behind which the list begins; nil for the beginning.
    func chunks(
        after last: ChunkID?, most: Int, in tx: Transaction
    ) throws -> [(project: String, chunk: ChunkID)] {
        let names = try tx.rows(
            "SELECT DISTINCT chunk FROM volume_backup_piece WHERE chunk > ? ORDER BY chunk LIMIT ?", last?.text ?? "",
            most
        ).map { try $0.value(at: 0) as String }
        guard !names.isEmpty else { return [] }
        let rows = try tx.pieces(of: names.map(\.sql)).flatMap { list, arguments in
            try tx.rows(
                """
                SELECT DISTINCT p.chunk, m.project_id FROM volume_backup_piece p
                JOIN volume_backup_manifest m ON m.id = p.manifest_id
                WHERE p.chunk \(list) ORDER BY p.chunk, m.project_id
                """, arguments: arguments)
        }
        return try rows.compactMap { row in
            let text: String = try row.value(at: 0)
            let project: String = try row.value(at: 1)
            return ChunkID(text).map { (project: project, chunk: $0) }
        }
    }

    /// Returns the ids of backups of which a chunk is a piece.
    func backups(with chunk: ChunkID, of project: String, most: Int, in tx: Transaction) throws -> [String] {
        try tx.rows(
            """
            SELECT DISTINCT b.id FROM volume_backup b
            JOIN volume_backup_manifest m ON m.id = b.manifest_id
            JOIN volume_backup_piece p ON p.manifest_id = m.id
            WHERE p.chunk = ? AND m.project_id = ? ORDER BY b.id LIMIT ?
            """, chunk.text, project, most
        ).map { try $0.value(at: 0) as String }
    }

    // MARK: The end

    /// Notes that nobody has the list any more.
    func free(_ id: ID<BackupManifest>, at now: Timestamp, in tx: Transaction) throws {
        try tx.execute("UPDATE volume_backup_manifest SET freed_at = ? WHERE id = ? AND freed_at IS NULL", now, id)
    }

    /// Notes that a backup has the list again.
    func keep(_ id: ID<BackupManifest>, in tx: Transaction) throws {
        try tx.execute("UPDATE volume_backup_manifest SET freed_at = NULL WHERE id = ?", id)
    }

    /// Returns a list that nobody has had since a time; nil if there is none.
    func freed(before cutoff: Timestamp, in tx: Transaction) throws -> ID<BackupManifest>? {
        try tx.value(
            "SELECT id FROM volume_backup_manifest WHERE freed_at < ? ORDER BY freed_at, id LIMIT 1", cutoff)
    }

    /// Removes some pieces of a list that nobody has, and the list with its last ones.
    ///
    /// - Returns: whether the list is gone.
    func remove(_ id: ID<BackupManifest>, freedBefore cutoff: Timestamp, most: Int, in tx: Transaction) throws -> Bool {
        let isFree = try tx.row("SELECT id FROM volume_backup_manifest WHERE id = ? AND freed_at < ?", id, cutoff)
        guard isFree != nil else { return true }
        let removed = try tx.execute(
            """
            DELETE FROM volume_backup_piece WHERE manifest_id = ? AND position IN
              (SELECT position FROM volume_backup_piece WHERE manifest_id = ? ORDER BY position LIMIT ?)
            """, id, id, most)
        guard removed < most else { return false }
        try tx.execute("DELETE FROM volume_backup_manifest WHERE id = ?", id)
        return true
    }

    private static func manifest(_ row: Row) throws -> BackupManifest {
        BackupManifest(
            id: try row.value(at: 0), projectID: try row.value(at: 1), bytes: try row.value(at: 2),
            done: try row.value(at: 3), freedAt: try row.value(at: 4))
    }
}
