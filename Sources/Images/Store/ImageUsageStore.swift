import CloudCore
import SQL

/// The usage of a project as the database keeps it.
struct ImageUsageStore: Sendable {
    let owner: String

    /// Returns the bytes of data, counted once for each store that has it.
    func bytes(in tx: Transaction) throws -> Int64 { try Ledger.images.used("bytes", by: owner, in: tx) }

    /// Returns the bytes of data that waits for its import.
    func stagedBytes(in tx: Transaction) throws -> Int64 { try Ledger.images.used("staged_bytes", by: owner, in: tx) }

    func images(in tx: Transaction) throws -> Int64 { try Ledger.images.used("images", by: owner, in: tx) }

    /// Returns the number of images that are being filled, or have staged data. It depends on the time, so it is
    /// counted from the rows.
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
