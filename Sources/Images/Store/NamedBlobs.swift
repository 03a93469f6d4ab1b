import Blobs
package import CloudCore
package import SQL

/// Data that rows name, as a backup needs it.
package struct NamedBlob: Hashable, Sendable {
    /// The name of the store that has the data.
    package let store: String
    package let id: ContentID
    /// Whether the data must exist. Data on its way into a store is named before it is there.
    package let isRequired: Bool
}

extension ImagesAssembly {
    /// Returns all data that rows name, except that of the cache, which is in a store as well.
    package static func namedBlobs(in tx: Transaction) throws -> [NamedBlob] {
        let rows = try tx.rows(
            """
            SELECT store, blob_id, max(is_required) AS is_required FROM (
              SELECT store, blob_id, 1 AS is_required FROM image_location
              UNION ALL SELECT store, blob_id, 1 AS is_required FROM image_stage
              UNION ALL SELECT store, blob_id, 0 AS is_required FROM image_import
            ) AS named GROUP BY store, blob_id ORDER BY store, blob_id
            """)
        return try rows.map { row in
            let text: String = try row["blob_id"]
            guard let id = ContentID(text) else { throw CloudError.internalError("'\(text)' is no blob") }
            return NamedBlob(store: try row["store"], id: id, isRequired: try row["is_required"])
        }
    }

    /// Turns the copies of the cache into queued images; for a database that is moved to a machine without the cache's
    /// files.
    package static func emptyCache(in tx: Transaction) throws {
        try tx.execute("UPDATE image_cache SET blob_id = NULL, size = NULL, cached_at = NULL, read_at = NULL WHERE blob_id IS NOT NULL")
    }
}
