import Blobs
package import CloudCore
package import SQL

/// Data that rows name, as a backup needs it.
package struct NamedBlob: Hashable, Sendable {
    /// The name of the store that it is in.
    package let store: String
    package let id: ContentID
    /// Whether it must be there. Data on its way into a store is named before it is there.
    package let isRequired: Bool
}

extension ImagesAssembly {
    /// Returns all data that rows name, but for the cache: what is in the cache is in a store as well.
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

    /// Forgets what the cache has, and wants it anew: for a database that comes to a machine without the cache's files.
    package static func emptyCache(in tx: Transaction) throws {
        try tx.execute("UPDATE image_cache SET blob_id = NULL, size = NULL, cached_at = NULL, read_at = NULL WHERE blob_id IS NOT NULL")
    }
}
