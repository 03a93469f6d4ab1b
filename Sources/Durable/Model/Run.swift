package import CloudCore
package import Logging
import Synchronization

/// The context that a step is given besides its state. It has no clock, no randomness and nothing global: a step that
/// runs again must do the same again.
package struct Run<W: Workflow>: Sendable {
    package let input: W.Input
    package let needs: W.Needs
    package let workflowID: WorkflowID
    package let resource: ResourceKey
    /// The principal who asked for the workflow; nil if the cloud itself did.
    package let principal: Principal?
    package let requestID: String?
    /// The failure for which the workflow is being undone; nil on the way forward.
    package let failure: Failure?
    /// The number of the owner: it rises each time that the workflow changes hands. An agent that has seen a higher
    /// epoch refuses the call, so an owner that was replaced without noticing it does no harm.
    package let epoch: Int64
    /// A key that is the same for every attempt of this step in this direction, and differs for every other step.
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
        failure = row.failure
        epoch = row.epoch
        idempotencyKey = UUIDText.derived(from: "step/\(row.direction.rawValue)/\(row.step)", in: row.id.text)
        self.log = log
        self.journal = journal
    }

    /// Returns the id of something that this workflow makes. It is the same at each call, so a body that runs again
    /// makes the same thing again, and an undo finds what was left behind.
    package func id<Entity>(for label: String) -> ID<Entity> { ID(uuid(for: label)) }

    /// Returns the same id as text: a version 5 UUID with dashes.
    package func uuid(for label: String) -> String { UUIDText.derived(from: label, in: workflowID.text) }

    /// Adds a line to the workflow's history; it is written with the outcome of the step.
    package func note(_ text: String) { journal.note(text) }

    /// Reports how far the step is. The progress is written at most once a second, so a step may report as often as is
    /// convenient.
    package func progress(done: Int64, of total: Int64) { journal.progress(done: done, of: total) }

    /// Ends the step if the user has asked to cancel the workflow; for bodies that take long. Past the point of no
    /// return it does nothing.
    ///
    /// - Throws: `WorkflowCancelled`.
    package func checkCancelled() throws {
        if journal.isCancelRequested { throw WorkflowCancelled() }
    }
}

/// The error of `Run.checkCancelled()`.
struct WorkflowCancelled: Error {}

/// The notes and the progress of one attempt of a step.
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

    /// Returns the finished part of the step, 0...1, if it was reported since the last call; nil otherwise.
    func takeShare() -> Double? {
        content.withLock { content in
            defer { content.share = nil }
            return content.share
        }
    }

    var hasShare: Bool { content.withLock { $0.share != nil } }
}
