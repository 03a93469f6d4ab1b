/// Makes the world match the rows. It takes no input: whatever it must know it looks up, so it does not matter what woke
/// it, how often, or what happened to the pass before. What should be had once, all or nothing, is a workflow instead.
package protocol Reconciler: Sendable {
    /// For logs, metrics and the operator, as `network-ports`.
    var name: String { get }
    /// The time between two passes that nothing else caused.
    var interval: Duration { get }
    /// The time after which a pass is cancelled.
    var deadline: Duration { get }

    /// One pass over everything. What does not concern each other must not stop each other: a pass goes on after a failure
    /// and reports it.
    func reconcile() async throws -> ReconcilerReport
}

extension Reconciler {
    package var deadline: Duration { .seconds(300) }
}

/// What a pass did.
package struct ReconcilerReport: Sendable, Equatable {
    /// Things that were looked at.
    package var examined: Int
    /// Things that were not as the rows want them, and are now.
    package var changed: Int
    /// What could not be brought about, one line a thing.
    package var problems: [String]

    package init(examined: Int = 0, changed: Int = 0, problems: [String] = []) {
        self.examined = examined
        self.changed = changed
        self.problems = problems
    }
}
