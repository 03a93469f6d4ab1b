package import CloudCore

/// A row of `workflow`: where one durable operation stands. The row alone decides what happens next; its events are history.
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

        /// Whether nothing will happen until an operator acts, or a delete takes over.
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
    /// JSON of the `Principal` that asked for it; nil when the cloud itself did.
    package var principal: String?
    /// The W3C `traceparent` of the request that started it: the spans of its steps are part of that trace, in every
    /// process.
    package var trace: String?
    package let input: String
    package var state: String
    package var status: Status
    package var direction: Direction
    package var step: String
    /// How often the step was begun in this direction. A remote step that was never begun needs no undo.
    package var attempt: Int
    /// Claims since the last recorded outcome. A step that kills its process shows here, and nowhere else.
    package var interrupted: Int
    /// Per cent of the whole.
    package var progress: Int
    /// Rises with every claim. Every write of an owner is conditional on it: who was overtaken writes nothing any more.
    package var epoch: Int64
    /// Rises with every record, and numbers the events. It tells an owner whether a write whose answer was lost was done.
    package var sequence: Int64
    package var owner: String?
    package var leaseUntil: Timestamp?
    package var runAfter: Timestamp
    /// When the present wait is over.
    package var waitUntil: Timestamp?
    package var cancelRequested: Bool
    /// Why it is being undone.
    package var failure: Failure?
    /// Why it is stuck, blocked or abandoned.
    package var reason: String?
    package var abandonedBy: String?
    /// The place in the line of its resource while it is queued: 0 for a delete that supersedes the rest, else from 1 on.
    package var place = 0
    package let createdAt: Timestamp
    package var updatedAt: Timestamp
    package var finishedAt: Timestamp?

    package var outlineKey: Outline.Key { Outline.Key(kind: kind, version: version) }
}

/// Why a step failed, as it is kept: the message for the user and the detail for the operator stay apart.
package struct Failure: StoredValue, Equatable {
    package static let storedName = "workflow-failure"

    package var step: String
    package var kind: CloudError.Kind
    package var message: String
    package var detail: String?
    /// The error's word for the case, by which whoever waits for the end tells cases of one kind apart.
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

    /// For the log and the operator's eyes.
    package var text: String { detail.map { "\(kind.rawValue): \(message) [\($0)]" } ?? "\(kind.rawValue): \(message)" }
}

/// A row of `workflow_event`: append only, what the user's list of actions and the operator's history are made of.
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
    /// A note's text; JSON of the `Failure` of what failed or is tried again.
    package var data: String?
    package var at = Timestamp(seconds: 0)
}
