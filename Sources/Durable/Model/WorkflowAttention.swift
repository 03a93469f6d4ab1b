package import CloudCore

extension WorkflowRecord {
    /// Attempts of one step from which a workflow counts as stuck although it is tried again by itself: eight minutes
    /// of trying, if each attempt fails at once.
    package static let stuckFromAttempts = 10

    /// Whether an operator should look at it: nothing will happen, or the same step is tried again and again without
    /// success.
    package var isStuck: Bool {
        status.needsAttention || (finishedAt == nil && status != .queued && attempt >= Self.stuckFromAttempts)
    }

    /// Whether its step has failed and waits for its next attempt.
    var isTriedAgain: Bool { status == .ready && attempt > 0 }
}

/// The workflows that an operator wants to see. A part that is nil leaves nothing out.
package struct WorkflowFilter: Sendable, Equatable {
    package var kind: WorkflowKind?
    package var status: WorkflowRecord.Status?
    package var resource: ResourceKey?
    package var projectID: ID<Kind.Project>?
    /// Whether only those are listed that count as stuck (`WorkflowRecord.isStuck`).
    package var isStuck = false

    package init() {}
}
