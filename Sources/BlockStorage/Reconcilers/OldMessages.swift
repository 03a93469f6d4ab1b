import CloudCore
import Durable

/// A reconciler that deletes messages whose time is over, so that they do not grow without end.
struct OldMessages: Reconciler {
    let context: BlockStorageContext
    let name = "volume-messages"
    let interval = Duration.seconds(3600)
    private let messages = MessageStore()

    /// The most messages that one transaction deletes: a transaction that holds the writer for long is an outage.
    private static let batch = 200

    func reconcile() async throws -> ReconcilerReport {
        let now = context.world.now
        var total = 0
        while true {
            let deleted = try await context.write { tx in
                try messages.removeExpired(at: now, most: Self.batch, in: tx)
            }
            total += deleted
            if deleted < Self.batch { return ReconcilerReport(examined: total, changed: total) }
        }
    }
}
