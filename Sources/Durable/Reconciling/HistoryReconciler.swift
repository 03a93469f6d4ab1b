package import CloudCore
package import SQL

/// A reconciler that deletes old workflows, so that their history does not grow without end.
package struct HistoryReconciler: Reconciler {
    package let name = "workflow-history"
    package let interval = Duration.seconds(3600)
    private let database: Database
    private let world: World
    private let retention: Duration

    /// The most workflows that one transaction deletes: a transaction that holds the writer for long is an outage.
    private static let batch = 200

    package init(database: Database, world: World, retention: Duration = .seconds(90 * 86_400)) {
        self.database = database
        self.world = world
        self.retention = retention
    }

    package func reconcile() async throws -> ReconcilerReport {
        let before = world.now - retention
        var total = 0
        while true {
            let deleted = try await database.write { tx in
                try WorkflowStore().deleteFinished(before: before, limit: Self.batch, in: tx)
            }
            total += deleted
            if deleted < Self.batch { return ReconcilerReport(examined: total, changed: total) }
        }
    }
}
