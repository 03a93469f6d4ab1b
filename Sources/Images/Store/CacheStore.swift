import Blobs
import CloudCore
import SQL

/// The rows of the cache: the copies, and the queue of wanted images, which have no blob yet.
struct CacheStore: Sendable {
    /// Queues an image for the cache. It does nothing if the image is in the cache or queued.
    func queue(_ id: ID<Kind.Image>, at now: Timestamp, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO image_cache (image_id, queued_at, hits) VALUES (?, ?, 0) ON CONFLICT DO NOTHING", id, now)
    }

    /// Returns the queued images, those that wait longest first.
    func queued(limit: Int, in tx: Transaction) throws -> [ID<Kind.Image>] {
        try tx.rows("SELECT image_id FROM image_cache WHERE blob_id IS NULL ORDER BY queued_at, image_id LIMIT ?", limit).map { try $0.value(at: 0) }
    }

    /// Returns the images in the cache, the most recently read first.
    func cached(limit: Int, in tx: Transaction) throws -> [CachedImage] {
        try tx.rows("\(Self.select) WHERE blob_id IS NOT NULL ORDER BY read_at DESC, image_id LIMIT ?", limit).map(Self.entry)
    }

    func find(_ id: ID<Kind.Image>, in tx: Transaction) throws -> CachedImage? {
        try tx.row("\(Self.select) WHERE image_id = ? AND blob_id IS NOT NULL", id).map(Self.entry)
    }

    func contains(_ id: ID<Kind.Image>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT 1 FROM image_cache WHERE image_id = ?", id) != nil
    }

    /// Records the copy of a queued image. It does nothing if the image is no longer wanted.
    func fill(_ id: ID<Kind.Image>, _ blob: ContentID, size: Int64, at now: Timestamp, in tx: Transaction) throws {
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

    /// Returns those of the blobs that the cache still has to keep.
    func referenced(_ blobs: [ContentID], in tx: Transaction) throws -> Set<ContentID> {
        let marks = blobs.map { _ in "?" }.joined(separator: ", ")
        let rows = try tx.rows("SELECT blob_id FROM image_cache WHERE blob_id IN (\(marks))", arguments: blobs.map(\.text.sql))
        return Set(try rows.compactMap { ContentID(try $0.value(at: 0)) })
    }

    private static let select = "SELECT image_id, blob_id, size, cached_at, read_at, hits FROM image_cache"

    private static func entry(_ row: Row) throws -> CachedImage {
        let text: String = try row.value(at: 1)
        guard let blob = ContentID(text) else { throw CloudError.internalError("'\(text)' is no blob") }
        return CachedImage(
            imageID: try row.value(at: 0), blob: blob, size: try row.value(at: 2), cachedAt: try row.value(at: 3), readAt: try row.value(at: 4),
            hits: try row.value(at: 5))
    }
}
