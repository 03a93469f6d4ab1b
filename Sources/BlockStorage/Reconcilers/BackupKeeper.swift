import Blobs
import CloudCore
import Durable
import SQL

/// A reconciler that removes what no backup needs any more: first the lists of pieces that nobody has had for the grace
/// time, and then the chunks that no list names. So a kill at any moment leaves nothing behind for longer.
struct BackupKeeper: Reconciler {
    let context: BlockStorageContext
    let name = "volume-backups"
    let interval = Duration.seconds(3600)
    let deadline = Duration.seconds(3000)
    private let manifests = BackupManifestStore()

    /// The time for which pieces stay that nobody needs. A restore that has begun may read them so long, and the record
    /// of a deleted backup may be imported.
    static let grace = Duration.seconds(24 * 3600)
    /// The most pieces that one transaction removes: a transaction that holds the writer for long is an outage.
    private static let batch = 500

    init(context: BlockStorageContext) { self.context = context }

    func reconcile() async throws -> ReconcilerReport {
        let cutoff = context.world.now - Self.grace
        let lists = try await removeLists(freedBefore: cutoff)
        let (database, manifests) = (context.database, manifests)
        let chunks = try await context.needs.chunks.collectGarbage(storedBefore: cutoff) { project, chunks in
            try await database.read(.long) { tx in try manifests.used(chunks, of: project, in: tx) }
        }
        return ReconcilerReport(examined: lists + chunks.examined, changed: lists + chunks.removed)
    }

    /// Removes the lists of pieces that nobody has had for the grace time, and returns their number.
    private func removeLists(freedBefore cutoff: Timestamp) async throws -> Int {
        let (database, manifests) = (context.database, manifests)
        var count = 0
        while let id = try await database.read({ tx in try manifests.freed(before: cutoff, in: tx) }) {
            var isGone = false
            while !isGone {
                isGone = try await database.write { tx in
                    try manifests.remove(id, freedBefore: cutoff, most: Self.batch, in: tx)
                }
            }
            count += 1
        }
        return count
    }
}
