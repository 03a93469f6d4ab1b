import CloudCore
import SQL

/// A project's use of what is limited, counted from the rows.
struct ImageUsageStore: Sendable {
    let owner: String

    /// Counts bytes of data, once for each store that has it.
    func bytes(in tx: Transaction) throws -> Int64 {
        try tx.value(
            """
            SELECT CAST(coalesce(sum(i.size), 0) AS BIGINT) FROM image i JOIN image_location l ON l.image_id = i.id
            WHERE i.owner = ?
            """, owner) ?? 0
    }

    /// Counts bytes of data that waits for its import.
    func stagedBytes(in tx: Transaction) throws -> Int64 {
        try tx.value(
            """
            SELECT CAST(coalesce(sum(s.size), 0) AS BIGINT) FROM image i JOIN image_stage s ON s.image_id = i.id
            WHERE i.owner = ?
            """, owner) ?? 0
    }

    func images(in tx: Transaction) throws -> Int64 {
        try tx.value("SELECT count(*) FROM image WHERE owner = ?", owner) ?? 0
    }

    /// Counts images that are being filled.
    func uploads(at now: Timestamp, in tx: Transaction) throws -> Int64 {
        try tx.value(
            """
            SELECT count(*) FROM image i WHERE i.owner = ? AND (
              EXISTS (SELECT 1 FROM image_upload u
                WHERE u.image_id = i.id AND (u.expires_at IS NULL OR u.expires_at > ?))
              OR EXISTS (SELECT 1 FROM image_stage s WHERE s.image_id = i.id))
            """, owner, now) ?? 0
    }
}
