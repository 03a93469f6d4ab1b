import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/v2/cache`: copies of images' data on this host (2.14, 2.16).
struct CacheRoutes: Sendable {
    let cache: ImageCacheService

    var all: [Route] {
        [
            .get("/v2/cache") { call in
                let (cached, queued) = try await cache.list(by: try await call.caller())
                return .json { json in
                    json.array("cached_images", of: cached) { json, entry in
                        json.object { json in
                            json.member("image_id", entry.imageID.text)
                            json.member("hits", entry.hits)
                            json.member("last_accessed", Double(entry.readAt.microseconds) / 1e6)
                            json.member("last_modified", Double(entry.cachedAt.microseconds) / 1e6)
                            json.member("size", entry.size)
                        }
                    }
                    json.array("queued_images", of: queued) { $0.string($1.text) }
                }
            },
            .put("/v2/cache/{image_id}") { call in
                try await cache.queue(call.id("image_id"), by: try await call.caller())
                return .accepted
            },
            .delete("/v2/cache/{image_id}") { call in
                try await cache.remove(call.id("image_id"), by: try await call.caller())
                return .noContent
            },
            .delete("/v2/cache") { call in
                try await cache.clear(call.headers[.imageCacheClearTarget] ?? "", by: try await call.caller())
                return .noContent
            },
        ]
    }
}
