import Blobs
import CloudCore
import Durable
import SQL

/// A reconciler that removes bytes without an image: those of deleted images, and those of uploads whose last
/// transaction never came.
struct BlobGarbage: Reconciler {
    let database: Database
    let world: World
    let stores: ImageStores

    let name = "image-blobs"
    let interval = Duration.seconds(300)
    let deadline = Duration.seconds(3600)

    /// The grace period of bytes: longer than the time from the commit of a blob to the commit of the row that refers
    /// to it.
    static let grace = Duration.seconds(600)
    /// The most by which the clocks of hosts with one database may differ.
    private static let skew = Duration.seconds(60)

    /// Removes garbage. While no upload runs, bytes that were stored before have their row or will never get one.
    func reconcile() async throws -> ReconcilerReport {
        let cutoff = world.now
        let isQuiet = try await database.read { tx in try UploadStore().isEmpty(in: tx) }
        guard isQuiet else { return try await collect(grace: Self.grace) }
        let sinceCutoff = Duration.microseconds(world.now.microseconds - cutoff.microseconds)
        return try await collect(grace: database.dialect == .sqlite ? sinceCutoff : sinceCutoff + Self.skew)
    }

    /// Removes bytes that are older than a time and have no row.
    ///
    /// - Parameter grace: the least age of bytes that are removed.
    func collect(grace: Duration) async throws -> ReconcilerReport {
        var report = ReconcilerReport()
        for entry in stores.all {
            await collect(entry.blobs, "the store \(entry.name)", grace, &report) { ids, tx in
                try ImageStore().referenced(ids, in: entry.name, tx)
            }
        }
        if let cache = stores.cache {
            // The filling of the cache has no lease, so the grace period always holds here.
            await collect(cache.blobs, "the cache", max(grace, Self.grace), &report) { ids, tx in try CacheStore().referenced(ids, in: tx) }
        }
        return report
    }

    private func collect(
        _ blobs: any BlobStore, _ name: String, _ grace: Duration, _ report: inout ReconcilerReport,
        referenced: @escaping @Sendable ([ContentID], Transaction) throws -> Set<ContentID>
    ) async {
        do {
            let removed = Count()
            try await blobs.collectGarbage(now: world.now, grace: grace) { [database] ids in
                let kept = try await database.read { tx in try referenced(ids, tx) }
                await removed.add(examined: ids.count, changed: ids.count - kept.count)
                return kept
            }
            await removed.add(to: &report)
        } catch {
            report.problems.append("\(name): \(error)")
        }
    }
}

private actor Count {
    private var examined = 0
    private var changed = 0

    func add(examined: Int, changed: Int) {
        self.examined += examined
        self.changed += changed
    }

    var value: (examined: Int, changed: Int) { (examined, changed) }
}

extension Count {
    nonisolated func add(to report: inout ReconcilerReport) async {
        let value = await value
        report.examined += value.examined
        report.changed += value.changed
    }
}
