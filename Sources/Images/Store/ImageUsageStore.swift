import CloudCore
import SQL

/// The usage of a project, counted from the rows.
struct ImageUsageStore: Sendable {
    let owner: String

    /// Returns the bytes of data, counted once for each store that has it.
    func bytes(in tx: Transaction) throws -> Int64 {
        try tx.value(
            """
            SELECT CAST(coalesce(sum(i.size), 0) AS BIGINT) FROM image i JOIN image_location l ON l.image_id = i.id
            WHERE i.owner = ?
            """, owner) ?? 0
    }

    /// Returns the bytes of data that waits for its import.
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

    /// Returns the number of images that are being filled, or have staged data.
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
