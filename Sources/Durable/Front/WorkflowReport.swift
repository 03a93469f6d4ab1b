package import CloudCore

/// An operator's view of a workflow. The input and the state stay inside: they may hold passwords and user data.
package struct WorkflowReport: Sendable {
    /// The cause for which a workflow waits.
    package struct Waiting: Sendable, Equatable {
        package let text: String
        package let since: Timestamp
        /// The time at which the wait ends by itself; nil if only somebody else ends it.
        package var until: Timestamp?
    }

    /// A step of the workflow, with its present state.
    package struct Step: Sendable, Equatable {
        package enum State: String, Sendable {
            case done, present, ahead, undone
        }

        package let name: String
        /// The kind of step: `local`, `remote` or `wait`.
        package let nature: String
        package let state: State
    }

    let row: WorkflowRecord
    /// The last failure of the workflow.
    package var lastFailure: Failure?
    /// The cause for which the workflow waits; nil if it has ended.
    package var waiting: Waiting?
    /// The events of the workflow, oldest first; empty in lists.
    package var events: [WorkflowEvent] = []
    /// The other unfinished workflows of the same resource, in the order of their turns; empty in lists.
    package var line: [WorkflowReport] = []

    package var id: WorkflowID { row.id }
    package var kind: WorkflowKind { row.kind }
    package var version: Int { row.version }
    package var resource: ResourceKey { row.resource }
    package var projectID: ID<Kind.Project>? { row.projectID }
    package var requestID: String? { row.requestID }
    package var status: WorkflowRecord.Status { row.status }
    package var isStuck: Bool { row.isStuck }
    package var direction: WorkflowRecord.Direction { row.direction }
    package var step: String { row.step }
    package var attempt: Int { row.attempt }
    package var progress: Int { row.progress }
    package var isCancelling: Bool { row.cancelRequested }
    package var reason: String? { row.reason }
    package var abandonedBy: String? { row.abandonedBy }
    /// The name of the runner that carries the workflow out.
    package var owner: String? { row.owner }
    package var leaseUntil: Timestamp? { row.leaseUntil }
    package var createdAt: Timestamp { row.createdAt }
    package var updatedAt: Timestamp { row.updatedAt }
    package var finishedAt: Timestamp? { row.finishedAt }

    /// The user who asked for the workflow; nil if the cloud itself did.
    package var author: Author? {
        row.principal.flatMap { try? StoredJSON.value(Principal.self, from: $0) }.map { Author(id: $0.userID, name: $0.userName) }
    }

    package struct Author: Sendable, Equatable {
        package let id: ID<Kind.User>
        package let name: String
    }

    /// The steps that the workflow was started with, also those that this binary no longer knows.
    package var steps: [Step] {
        let words = row.fingerprint.split(separator: " ").filter { $0 != "|" }.map { word in
            word.split(separator: ":", maxSplits: 1).map(String.init)
        }
        let names = words.map { $0.last ?? "" }
        let present = names.firstIndex(of: row.step) ?? 0
        let highest = row.failure.flatMap { names.firstIndex(of: $0.step) } ?? present
        return words.enumerated().map { at, word in
            Step(name: names[at], nature: word.first ?? "", state: state(of: at, present: present, highest: highest))
        }
    }

    private func state(of at: Int, present: Int, highest: Int) -> Step.State {
        if row.status == .succeeded { return .done }
        if row.status == .unwound { return at <= highest ? .undone : .ahead }
        if at == present { return .present }
        if at < present { return .done }
        return row.direction == .undo && at <= highest ? .undone : .ahead
    }
}

extension WorkflowReport.Waiting {
    /// Describes the wait of a workflow. Returns nil if the workflow has ended.
    ///
    /// - Parameters:
    ///   - began: the time at which the present step first began.
    ///   - terms: the terms of the present step, if it is a wait.
    init?(_ row: WorkflowRecord, began: Timestamp?, terms: WaitTerms?) {
        let since = began ?? row.updatedAt
        switch row.status {
        case .succeeded, .unwound, .abandoned: return nil
        case .stuck, .blocked: self.init(text: "an administrator who retries or abandons it", since: row.updatedAt)
        case .queued: self.init(text: "the end of what is before it on \(row.resource)", since: row.createdAt)
        case .running:
            self.init(text: "the end of \(Self.step(row)), attempt \(max(row.attempt, 1))", since: since)
        case .ready where row.attempt > 0:
            let failed = row.attempt == 1 ? "1 attempt has failed" : "\(row.attempt) attempts have failed"
            self.init(text: "the next attempt of \(Self.step(row)); \(failed)", since: since, until: row.runAfter)
        case .ready: self.init(text: "a runner with a free place", since: row.runAfter)
        case .waiting:
            let text = terms?.signal.map { "the signal '\($0)'" } ?? (terms == nil ? "a signal" : "time to pass")
            let start = terms.flatMap { terms in row.waitUntil.map { $0 - terms.timeout } }
            self.init(text: text, since: start ?? since, until: row.waitUntil)
        }
    }

    private static func step(_ row: WorkflowRecord) -> String {
        row.direction == .undo ? "the undo of the step '\(row.step)'" : "the step '\(row.step)'"
    }
}

extension WorkflowEvent {
    /// The failure that an event of kind `failed` or `retried` records.
    package var failure: Failure? {
        guard kind == .failed || kind == .retried else { return nil }
        return data.flatMap { try? StoredJSON.value(from: $0) }
    }
}
