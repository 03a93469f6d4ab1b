/// A repeated task that makes the world match the rows. A pass takes no input: it looks up whatever it must know, so it
/// does not matter what started it, how often, or how the pass before ended. Work that must happen once, all or
/// nothing, is a workflow instead.
package protocol Reconciler: Sendable {
    /// The name for logs, metrics and the operator, such as `network-ports`.
    var name: String { get }
    /// The time between two passes if nothing else starts one.
    var interval: Duration { get }
    /// The time after which a pass is cancelled.
    var deadline: Duration { get }

    /// Runs one pass over everything. Independent things must not stop each other: a pass goes on after a failure and
    /// reports it.
    func reconcile() async throws -> ReconcilerReport
}

extension Reconciler {
    package var deadline: Duration { .seconds(300) }
}

/// The result of a pass.
package struct ReconcilerReport: Sendable, Equatable {
    /// The number of things that were examined.
    package var examined: Int
    /// The number of things that differed from the rows and match them now.
    package var changed: Int
    /// The things that could not be brought about, one line each.
    package var problems: [String]

    package init(examined: Int = 0, changed: Int = 0, problems: [String] = []) {
        self.examined = examined
        self.changed = changed
        self.problems = problems
    }
}
