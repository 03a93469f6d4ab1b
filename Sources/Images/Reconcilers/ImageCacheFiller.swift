import Blobs
import CloudCore
import Durable
import SQL

/// A reconciler that copies wanted images into the cache. If the cache is too full, it removes the images that were not
/// read for the longest time.
struct ImageCacheFiller: Reconciler {
    let database: Database
    let world: World
    let stores: ImageStores

    let name = "image-cache"
    let interval = Duration.seconds(300)
    let deadline = Duration.seconds(3600)

    private let cached = CacheStore()
    private static let mostAtOnce = 100  // tidy: allow bound, of one pass
    private static let most = 10_000  // tidy: allow bound, of one pass

    func reconcile() async throws -> ReconcilerReport {
        var report = ReconcilerReport()
        guard let cache = stores.cache else { return report }
        for id in try await database.read({ tx in try cached.queued(limit: Self.mostAtOnce, in: tx) }) {
            report.examined += 1
            do {
                try await fill(id, cache)
                report.changed += 1
            } catch {
                report.problems.append("image \(id): \(error)")
                // The next reader queues the image again; until then it must not hold up the others.
                try await database.write { tx in try cached.remove(id, in: tx) }
            }
        }
        report.changed += try await prune(cache)
        return report
    }

    private func fill(_ id: ID<Kind.Image>, _ cache: ImageStores.Cache) async throws {
        let location = try await database.read { tx in try ImageStore().locations(of: id, in: tx).first { stores[$0.store] != nil } }
        guard let location, let store = stores[location.store] else { throw CloudError.notFound("it has no data") }
        let size = try await store.size(location.blob)
        guard size <= cache.most else { throw CloudError(.tooLarge, "it is larger than the cache") }
        let bytes = try await store.open(location.blob, range: nil)
        let copy = try await cache.blobs.store(bytes, most: cache.most, expecting: BlobExpectation(size: size, sha512: location.blob.text))
        let now = world.now
        try await database.write { tx in try cached.fill(id, copy.id, size: copy.size, at: now, in: tx) }
    }

    /// Removes entries until the cache fits its limit. Returns their number. The bytes are removed as garbage.
    private func prune(_ cache: ImageStores.Cache) async throws -> Int {
        try await database.write { tx in
            var room = cache.most
            var kept: Set<ContentID> = []
            var removed = 0
            for entry in try cached.cached(limit: Self.most, in: tx) {
                // Several images may share bytes, which are stored once.
                if kept.contains(entry.blob) { continue }
                if entry.size <= room {
                    room -= entry.size
                    kept.insert(entry.blob)
                } else {
                    try cached.remove(entry.imageID, in: tx)
                    removed += 1
                }
            }
            return removed
        }
    }
}
