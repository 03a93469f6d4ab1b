import Blobs
import CloudCore
import SQL

/// The rows of the cache: what is in it, and what is wanted in it, which has no blob yet.
struct CacheStore: Sendable {
    /// Wants the image in the cache. Without effect when it is there, or wanted already.
    func queue(_ id: ID<Kind.Image>, at now: Timestamp, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO image_cache (image_id, queued_at, hits) VALUES (?, ?, 0) ON CONFLICT DO NOTHING", id, now)
    }

    /// Those that are wanted and not there, those first that wait the longest.
    func queued(limit: Int, in tx: Transaction) throws -> [ID<Kind.Image>] {
        try tx.rows("SELECT image_id FROM image_cache WHERE blob_id IS NULL ORDER BY queued_at, image_id LIMIT ?", limit).map { try $0.value(at: 0) }
    }

    /// Those that are there, those first that were read last.
    func cached(limit: Int, in tx: Transaction) throws -> [CachedImage] {
        try tx.rows("\(Self.select) WHERE blob_id IS NOT NULL ORDER BY read_at DESC, image_id LIMIT ?", limit).map(Self.entry)
    }

    func find(_ id: ID<Kind.Image>, in tx: Transaction) throws -> CachedImage? {
        try tx.row("\(Self.select) WHERE image_id = ? AND blob_id IS NOT NULL", id).map(Self.entry)
    }

    func contains(_ id: ID<Kind.Image>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT 1 FROM image_cache WHERE image_id = ?", id) != nil
    }

    /// Says that a wanted image is there. Without effect when it is wanted no longer.
    func fill(_ id: ID<Kind.Image>, _ blob: BlobID, size: Int64, at now: Timestamp, in tx: Transaction) throws {
        try tx.execute(
            "UPDATE image_cache SET blob_id = ?, size = ?, cached_at = ?, read_at = ? WHERE image_id = ?", blob.text, size, now, now, id)
    }

    func noteRead(_ id: ID<Kind.Image>, at now: Timestamp, in tx: Transaction) throws {
        try tx.execute("UPDATE image_cache SET hits = hits + 1, read_at = ? WHERE image_id = ?", now, id)
    }

    func remove(_ id: ID<Kind.Image>, in tx: Transaction) throws { try tx.execute("DELETE FROM image_cache WHERE image_id = ?", id) }

    func clear(_ target: CacheTarget, in tx: Transaction) throws {
        if target.reachesCache { try tx.execute("DELETE FROM image_cache WHERE blob_id IS NOT NULL") }
        if target.reachesQueue { try tx.execute("DELETE FROM image_cache WHERE blob_id IS NULL") }
    }

    /// Which of these blobs the cache still has to keep.
    func referenced(_ blobs: [BlobID], in tx: Transaction) throws -> Set<BlobID> {
        let marks = blobs.map { _ in "?" }.joined(separator: ", ")
        let rows = try tx.rows("SELECT blob_id FROM image_cache WHERE blob_id IN (\(marks))", arguments: blobs.map(\.text.sql))
        return Set(try rows.compactMap { BlobID(try $0.value(at: 0)) })
    }

    private static let select = "SELECT image_id, blob_id, size, cached_at, read_at, hits FROM image_cache"

    private static func entry(_ row: Row) throws -> CachedImage {
        let text: String = try row.value(at: 1)
        guard let blob = BlobID(text) else { throw CloudError.internalError("'\(text)' is no blob") }
        return CachedImage(
            imageID: try row.value(at: 0), blob: blob, size: try row.value(at: 2), cachedAt: try row.value(at: 3), readAt: try row.value(at: 4),
            hits: try row.value(at: 5))
    }
}
