import Blobs
import CloudCore
import Durable
import SQL

/// Removes bytes that no image refers to: of deleted images, and of uploads whose last transaction never came.
struct BlobGarbage: Reconciler {
    let database: Database
    let world: World
    let stores: ImageStores

    let name = "image-blobs"
    let interval = Duration.seconds(300)
    let deadline = Duration.seconds(3600)

    /// Longer than it takes from the commit of a blob to the commit of the row that refers to it.
    static let grace = Duration.seconds(600)

    func reconcile() async throws -> ReconcilerReport { try await collect(grace: Self.grace) }

    /// - Parameter grace: how old bytes must be that are removed.
    func collect(grace: Duration) async throws -> ReconcilerReport {
        var report = ReconcilerReport()
        for entry in stores.all {
            do {
                let removed = Count()
                try await entry.blobs.collectGarbage(now: world.now, grace: grace) { [database] ids in
                    let kept = try await database.read { tx in try ImageStore().referenced(ids, in: entry.name, tx) }
                    await removed.add(examined: ids.count, changed: ids.count - kept.count)
                    return kept
                }
                await removed.add(to: &report)
            } catch {
                report.problems.append("the store \(entry.name): \(error)")
            }
        }
        return report
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
