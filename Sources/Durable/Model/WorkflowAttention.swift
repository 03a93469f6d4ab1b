package import CloudCore

extension WorkflowRecord {
    /// The number of attempts of one step from which a workflow counts as stuck although it is still retried by itself.
    /// It takes about eight minutes to get there if each attempt fails at once.
    package static let stuckFromAttempts = 10

    /// Whether an operator should look at the workflow: nothing will happen, or the same step is retried again and
    /// again without success.
    package var isStuck: Bool {
        status.needsAttention || (finishedAt == nil && status != .queued && attempt >= Self.stuckFromAttempts)
    }

    /// Whether the step of the workflow has failed and waits for its next attempt.
    var isTriedAgain: Bool { status == .ready && attempt > 0 }
}

/// The filter for the workflows that an operator lists. A part that is nil leaves nothing out.
package struct WorkflowFilter: Sendable, Equatable {
    package var kind: WorkflowKind?
    package var status: WorkflowRecord.Status?
    package var resource: ResourceKey?
    package var projectID: ID<Kind.Project>?
    /// Whether only workflows that count as stuck are listed (`WorkflowRecord.isStuck`).
    package var isStuck = false

    package init() {}
}
