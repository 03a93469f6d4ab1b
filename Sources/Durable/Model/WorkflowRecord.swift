package import CloudCore

/// A row of `workflow`: the state of one durable operation. The row alone decides what happens next; its events are
/// history.
///
/// ```
///            claim               wait, back off, hand back
///   ready ──────────▶ running ───────────────────────────▶ ready / waiting
///     ▲                  │ last step done ───▶ succeeded
///     │ retry            │ last undo done ───▶ unwound
///     └── stuck ◀────────┤ an undo that does not succeed
///     └── blocked ◀──────┘ a version that this binary does not know
///   queued ──▶ ready      when the one before it in the resource's line has ended
///   queued ──▶ unwound    when a delete supersedes it, or the one before it is stuck
///   every state that has not ended ──▶ abandoned, by an operator or by the delete that supersedes it
/// ```
package struct WorkflowRecord: Sendable, Equatable {
    package enum Status: String, Sendable, CaseIterable {
        case queued, ready, running, waiting, succeeded, unwound, stuck, blocked, abandoned

        /// Whether nothing will happen until an operator acts or a delete takes over.
        package var needsAttention: Bool { self == .stuck || self == .blocked }
    }

    package enum Direction: String, Sendable {
        case forward = "do"
        case undo
    }

    package let id: WorkflowID
    package let kind: WorkflowKind
    package let version: Int
    package let fingerprint: String
    package let resource: ResourceKey
    package var projectID: ID<Kind.Project>?
    package var requestID: String?
    /// The `Principal` that asked for the workflow, as JSON; nil if the cloud itself did.
    package var principal: String?
    /// The trace context of the request that started the workflow. It links a step that is resumed elsewhere to its
    /// origin.
    package var trace: String?
    package let input: String
    package var state: String
    package var status: Status
    package var direction: Direction
    package var step: String
    /// The number of attempts of the present step in this direction; a retry by an operator sets it back to 1 at most.
    /// A remote step that was never begun needs no undo.
    package var attempt: Int
    /// The number of claims since the last recorded outcome. A step that kills its process shows here, and nowhere
    /// else.
    package var interrupted: Int
    /// Progress of the whole workflow in per cent.
    package var progress: Int
    /// The number of the owner: it rises with every claim. Every write of an owner is conditional on it, so a former
    /// owner can no longer write.
    package var epoch: Int64
    /// The number of the last record; it rises with every record, and numbers the events. After a write whose answer
    /// was lost, it tells the owner whether the write was done.
    package var sequence: Int64
    package var owner: String?
    package var leaseUntil: Timestamp?
    package var runAfter: Timestamp
    /// The end of the present wait.
    package var waitUntil: Timestamp?
    package var cancelRequested: Bool
    /// The reason why the workflow is being undone.
    package var failure: Failure?
    /// The reason why the workflow is stuck, blocked or abandoned.
    package var reason: String?
    package var abandonedBy: String?
    /// The place in the line of the resource while the workflow is queued: 0 for a delete that supersedes the rest,
    /// otherwise from 1.
    package var place = 0
    package let createdAt: Timestamp
    package var updatedAt: Timestamp
    package var finishedAt: Timestamp?

    package var outlineKey: Outline.Key { Outline.Key(kind: kind, version: version) }
}

/// The stored failure of a step. The message for the user and the detail for the operator are kept apart.
package struct Failure: StoredValue, Equatable {
    package static let storedName = "workflow-failure"

    package var step: String
    package var kind: CloudError.Kind
    package var message: String
    package var detail: String?
    /// The code of the error, by which a caller that waits for the end distinguishes errors of one kind.
    package var code: String?
    package var isCancellation = false

    package init(step: String, error: CloudError) {
        self.step = step
        kind = error.kind
        message = error.message
        code = error.code
        let chain = [error.detail, error.cause.map { "\($0)" }].compactMap(\.self)
        detail = chain.isEmpty ? nil : chain.joined(separator: " <- ")
    }

    static func cancelled(at step: String) -> Failure {
        var failure = Failure(step: step, error: .conflict("The action was cancelled."))
        failure.isCancellation = true
        return failure
    }

    /// The failure as text for the log and for operators.
    package var text: String { detail.map { "\(kind.rawValue): \(message) [\($0)]" } ?? "\(kind.rawValue): \(message)" }
}

/// A row of `workflow_event`, which is append-only. The user's list of actions and the operator's history are made from
/// these rows.
package struct WorkflowEvent: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case started, succeeded, failed, retried, note
    }

    package var sequence: Int64 = 0
    package var epoch: Int64 = 0
    package let step: String
    package let direction: WorkflowRecord.Direction
    package let kind: Kind
    package let attempt: Int
    /// The text of a note, or the JSON of the `Failure` that ended or delayed the step.
    package var data: String?
    package var at = Timestamp(seconds: 0)
}
