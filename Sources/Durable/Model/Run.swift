package import CloudCore
package import Logging
import Synchronization

/// What a step is given besides its state. There is no clock in it, no randomness and nothing global: a step that runs
/// again must do the same again.
package struct Run<W: Workflow>: Sendable {
    package let input: W.Input
    package let needs: W.Needs
    package let workflowID: WorkflowID
    package let resource: ResourceKey
    /// Who asked for it; nil when the cloud itself did.
    package let principal: Principal?
    package let requestID: String?
    /// Rises each time the workflow changes hands. An agent that has seen a higher one refuses the call, so an owner that was
    /// overtaken without knowing it does no harm.
    package let epoch: Int64
    /// The same for every attempt of this step in this direction, and for no other step.
    package let idempotencyKey: String
    package let log: Logger
    let journal: Journal

    init(_ row: WorkflowRecord, _ needs: W.Needs, _ journal: Journal, _ log: Logger) throws {
        input = try W.value(from: row.input)
        self.needs = needs
        workflowID = row.id
        resource = row.resource
        principal = try row.principal.map { try StoredJSON.value(from: $0) }
        requestID = row.requestID
        epoch = row.epoch
        idempotencyKey = UUIDText.derived(from: "step/\(row.direction.rawValue)/\(row.step)", in: row.id.text)
        self.log = log
        self.journal = journal
    }

    /// The id of something that this workflow makes: the same each time it is asked for, so that a body that runs again
    /// makes the same thing again and an undo finds what was left behind.
    package func id<Entity>(for label: String) -> ID<Entity> { ID(uuid(for: label)) }

    /// The same as text: a version 5 UUID with dashes.
    package func uuid(for label: String) -> String { UUIDText.derived(from: label, in: workflowID.text) }

    /// Adds a line to the workflow's history; it is written with the step's outcome.
    package func note(_ text: String) { journal.note(text) }

    /// Says how far this step is. It is written at most once a second, so it may be called as often as is convenient.
    package func progress(done: Int64, of total: Int64) { journal.progress(done: done, of: total) }

    /// Ends the step when the user has asked for the workflow to be cancelled: for bodies that take long. Past the point of
    /// no return it does nothing.
    package func checkCancelled() throws {
        if journal.isCancelRequested { throw WorkflowCancelled() }
    }
}

/// Thrown by `Run.checkCancelled()`.
struct WorkflowCancelled: Error {}

/// What a running step says of itself. One attempt has one journal.
final class Journal: Sendable {
    private struct Content {
        var notes: [String] = []
        var share: Double?
        var isCancelRequested = false
    }

    private let content = Mutex(Content())
    private let onProgress: @Sendable () -> Void

    init(onProgress: @escaping @Sendable () -> Void = {}) { self.onProgress = onProgress }

    var notes: [String] { content.withLock { $0.notes } }
    var isCancelRequested: Bool { content.withLock { $0.isCancelRequested } }

    func note(_ text: String) { content.withLock { $0.notes.append(text) } }

    func requestCancel() { content.withLock { $0.isCancelRequested = true } }

    func progress(done: Int64, of total: Int64) {
        guard total > 0 else { return }
        content.withLock { $0.share = min(max(Double(done) / Double(total), 0), 1) }
        onProgress()
    }

    /// The part of the step that is done, 0...1, if it was said since the last call.
    func takeShare() -> Double? {
        content.withLock { content in
            defer { content.share = nil }
            return content.share
        }
    }

    var hasShare: Bool { content.withLock { $0.share != nil } }
}
