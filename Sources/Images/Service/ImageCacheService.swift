import Access
import Blobs
import CloudCore
import HTTPKit
import SQL

/// The service of copies of images' data on this host, for stores that are far away. Nothing depends on a copy: without
/// one, data is read from the store.
struct ImageCacheService: Sendable {
    let context: ImagesContext

    private static let most = Limits.list.cacheEntries.most

    // MARK: For administrators

    func list(by caller: Principal) async throws -> (cached: [CachedImage], queued: [ID<Kind.Image>]) {
        try requireCache(.cacheList, caller)
        return try await context.read { tx in
            (try context.cached.cached(limit: Self.most, in: tx), try context.cached.queued(limit: Self.most, in: tx))
        }
    }

    func queue(_ id: ID<Kind.Image>, by caller: Principal) async throws {
        let now = context.world.now
        try await context.write { tx in
            guard let image = try context.images.find(id, for: context.onlooker(caller), in: tx) else { throw ImageAccess.missing(id) }
            try requireCache(.cacheImage, caller)
            guard image.status == .active else {
                throw CloudError.badRequest("Only images with status active can be targeted for queueing")
            }
            try context.cached.queue(id, at: now, in: tx)
            tx.afterCommit { context.fillCache() }
        }
    }

    func remove(_ id: ID<Kind.Image>, by caller: Principal) async throws {
        try await context.write { tx in
            let isKnown = try context.images.find(id, for: context.onlooker(caller), in: tx) != nil
            guard try isKnown || context.cached.contains(id, in: tx) else { throw ImageAccess.missing(id) }
            try requireCache(.cacheDelete, caller)
            try context.cached.remove(id, in: tx)
        }
    }

    func clear(_ target: String, by caller: Principal) async throws {
        try requireCache(.cacheDelete, caller)
        guard let target = CacheTarget(rawValue: target.lowercased()) else {
            throw CloudError.badRequest("If provided 'x-image-cache-clear-target' must be 'cache', 'queue' or empty string.")
        }
        try await context.write { tx in try context.cached.clear(target, in: tx) }
    }

    /// Checks the policy before the cache, so that a caller without the right does not learn whether there is a cache.
    private func requireCache(_ action: Action, _ caller: Principal) throws {
        try context.policy.require(action, caller)
        guard context.stores.cache != nil else { throw CloudError.notFound("Caching via API is not supported at this site.") }
    }

    // MARK: For downloads

    /// Opens the copy of an image. If there is none, one is queued.
    ///
    /// - Returns: the bytes of the copy; nil if there is none.
    func open(_ id: ID<Kind.Image>, range: Range<Int64>?, for owner: String) async throws -> BlobBytes? {
        guard let cache = context.stores.cache else { return nil }
        let now = context.world.now
        guard let entry = try await context.read({ tx in try context.cached.find(id, in: tx) }) else {
            try await context.write { tx in
                try context.cached.queue(id, at: now, in: tx)
                tx.afterCommit { context.fillCache() }
            }
            return nil
        }
        do {
            let bytes = try await cache.blobs.open(entry.blob, range: range, for: owner)
            try await context.write { tx in try context.cached.noteRead(id, at: now, in: tx) }
            return bytes
        } catch let error as CloudError where error.kind == .notFound {
            // The copy is on another host, or it was removed: the next reader queues the image again.
            try await context.write { tx in try context.cached.remove(id, in: tx) }
            return nil
        }
    }
}
