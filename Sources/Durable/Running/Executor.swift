import CloudCore
import Logging
import SQL
import Telemetry

/// The loop that carries a claimed workflow on until it ends, waits or is handed back. The planner makes all decisions,
/// over the row as the transaction sees it, so no cancel and no other owner can slip in between.
package struct Executor: Sendable {
    let database: Database
    let catalog: WorkflowCatalog
    let planner: Planner
    let world: World
    let sleeper: any Sleeper
    let settings: RunnerSettings
    let bell: Bell
    let faults: FaultPlan
    /// Nil: nothing has spans.
    let spans: SpanFile?
    let log: Logger
    /// Returns whether the process is about to end.
    let isQuiescing: @Sendable () -> Bool
    let store = WorkflowStore()
    let leases = LeaseStore()
    let signals = SignalStore()

    /// The result of one look at the row.
    private enum Turn: Sendable {
        case recorded(WorkflowRecord)
        case began(WorkflowRecord, Int, WorkflowDefinition)
        case failed(Int, WorkflowDefinition, any Error, notes: [String])
    }

    /// Carries a claimed workflow on.
    ///
    /// - Throws: `SimulatedCrash`, in tests. Every other error is recorded.
    package func run(_ claimed: WorkflowRecord) async throws {
        let share = claimed.projectID.map { Share.project($0.text) } ?? .cloud
        try await Budget.$current.withValue(Budget(nil, share: share)) { try await carryOn(claimed) }
    }

    private func carryOn(_ claimed: WorkflowRecord) async throws {
        var row = claimed
        while row.status == .running {
            if isQuiescing() || Task.isCancelled {
                _ = try await record(row) { self.planner.handedBack($0, now: self.world.now) }
                return
            }
            let span = startSpan(ofStep: row)
            guard let next = try await within(span, { try await advance(row, span) }) else { return }
            end(span, row, next)
            row = next
        }
        logEnd(row)
        writeSpan(ofEnded: row)
    }

    /// Carries out one step, or one attempt of it. Returns nil if the row has another owner, or if it could not be
    /// written.
    private func advance(_ row: WorkflowRecord, _ span: FileSpan?) async throws -> WorkflowRecord? {
        try await faults.strike(.beforeStart, row)
        // For a remote step this transaction only records its start; for the others it records everything.
        let moment: FaultPlan.Moment = catalog.isRemote(row) ? .startRecord : .outcomeRecord
        guard let turn = try await persist(row, moment, { tx in try turn(row, tx) }) else { return nil }
        let next: WorkflowRecord?
        switch turn {
        case .recorded(let recorded): next = recorded
        case .failed(let index, let definition, let error, let notes):
            setFailure(span, row, error)
            next = try await fail(row, definition, index, error, notes)
        case .began(let began, let index, let definition):
            try await faults.strike(.afterStart, row)
            next = try await remote(began, definition, index, span)
        }
        if let next { try await faults.strike(next.status == .waiting ? .afterStart : .afterOutcome, row) }
        return next
    }

    // MARK: In one transaction

    private func turn(_ lastKnown: WorkflowRecord, _ tx: Transaction) throws -> Turn {
        let row = try leases.requireOwned(lastKnown, in: tx)
        let definition: WorkflowDefinition
        switch catalog.definition(for: row) {
        case .success(let known): definition = known
        case .failure(let unknown):
            return .recorded(try commit(planner.blocked(row, reason: unknown.reason, now: world.now), over: row, tx))
        }
        switch planner.next(row, definition.outline, now: world.now) {
        case .record(let transition): return .recorded(try commit(transition, over: row, tx))
        case .remote(let index, let began): return .began(try commit(began, over: row, tx), index, definition)
        case .local(let index): return try local(row, definition, index, tx)
        case .wait(let index, let terms): return try wait(row, definition, index, terms, tx)
        }
    }

    private func local(
        _ row: WorkflowRecord, _ definition: WorkflowDefinition, _ index: Int, _ tx: Transaction
    ) throws -> Turn {
        let journal = Journal()
        let state: String
        do {
            try faults.fault(at: .body, of: row)?.raise()
            state = try definition.local(index, row, journal, stepLog(row), tx)
            try faults.fault(at: .afterBody, of: row)?.raise()
        } catch let error as SQLError where error.isTransient {
            // The database layer throws such errors and handles them: it runs the transaction again.
            throw error
        } catch let crash as SimulatedCrash {
            throw crash
        } catch {
            // The error is thrown on, so that the changes of the body are rolled back; see `persist`.
            throw BodyFailed(index: index, definition: definition, error: error, notes: journal.notes)
        }
        let done = planner.succeeded(row, definition.outline, index, state: state, notes: journal.notes, now: world.now)
        return .recorded(try commit(done, over: row, tx))
    }

    private func wait(
        _ row: WorkflowRecord, _ definition: WorkflowDefinition, _ index: Int, _ terms: WaitTerms, _ tx: Transaction
    ) throws -> Turn {
        var notes: [String] = []
        for signal in try terms.signal.map({ try signals.list($0, for: row.id, in: tx) }) ?? [] {
            try signals.delete(signal, for: row.id, in: tx)
            let outcome = Result { try definition.receive(index, row, signal) }
            switch outcome {
            case .success(nil): notes.append("Passed over a signal '\(signal.name)'.")
            case .success(let state?):
                let done = planner.succeeded(row, definition.outline, index, state: state, notes: notes, now: world.now)
                return .recorded(try commit(done, over: row, tx))
            case .failure(let error):
                // The signal is removed together with the failure: it must not fail the step again after a retry.
                let transition = failure(row, definition, index, error, notes)
                return .recorded(try commit(transition, over: row, tx))
            }
        }
        let waits = planner.waits(row, definition.outline, index, terms, notes: notes, now: world.now)
        return .recorded(try commit(waits, over: row, tx))
    }

    /// Writes a transition, and the effects of its end on the other workflows of the resource.
    private func commit(
        _ transition: Transition, over row: WorkflowRecord, _ tx: Transaction
    ) throws -> WorkflowRecord {
        var transition = transition
        transition.row.leaseUntil = world.now + settings.lease
        if transition.row.status.needsAttention || transition.givesWay {
            let line = try store.listQueued(on: row.resource, in: tx)
            if line.first?.place == 0 {
                transition = planner.gaveWay(transition, now: world.now)
            } else if transition.row.status == .stuck {
                try callOff(line, behind: transition.row, tx)
            }
        }
        let next = try store.record(transition, over: row, in: tx)
        if next.status.needsAttention { tx.afterCommit { [bell] in bell.ringEnd(of: next.id) } }
        guard next.finishedAt != nil else { return next }
        let isNextReady = try store.releaseQueued(on: row.resource, now: world.now, in: tx)
        tx.afterCommit { [bell] in
            if isNextReady { bell.ring() }
            bell.ringEnd(of: next.id)
        }
        return next
    }

    /// Ends the workflows that wait behind a stuck one: they would not run before an operator acts, and their callers
    /// would not learn why.
    private func callOff(_ line: [WorkflowRecord], behind stuck: WorkflowRecord, _ tx: Transaction) throws {
        for waiting in line {
            // The waiting workflow undoes what was made with its start when its turn comes.
            if case .success(let known) = catalog.definition(for: waiting), known.outline.undoesStart {
                try store.setCancelRequested(waiting.id, now: world.now, in: tx)
                continue
            }
            let error = CloudError(
                .conflict, "An earlier action on this resource came to a standstill.",
                detail: "\(stuck.kind) \(stuck.id) is stuck: \(stuck.reason ?? "")")
            let gone = planner.calledOff(waiting, Failure(step: waiting.step, error: error), now: world.now)
            _ = try store.record(gone, over: waiting, in: tx)
            tx.afterCommit { [bell] in bell.ringEnd(of: waiting.id) }
        }
    }

    // MARK: Out of the transaction

    private func remote(
        _ row: WorkflowRecord, _ definition: WorkflowDefinition, _ index: Int, _ span: FileSpan?
    ) async throws -> WorkflowRecord? {
        let attempt = RemoteAttempt(executor: self, row: row, definition: definition, index: index)
        switch try await attempt.run() {
        case .lost:
            logLost(row)
            return nil
        case .interrupted:
            return try await record(row) { self.planner.handedBack($0, now: self.world.now) }
        case .succeeded(let state, let notes):
            return try await record(row) {
                self.planner.succeeded($0, definition.outline, index, state: state, notes: notes, now: self.world.now)
            }
        case .failed(let error, let notes):
            setFailure(span, row, error)
            return try await fail(row, definition, index, error, notes)
        }
    }

    private func fail(
        _ row: WorkflowRecord, _ definition: WorkflowDefinition, _ index: Int, _ error: any Error, _ notes: [String]
    ) async throws -> WorkflowRecord? {
        if let crash = error as? SimulatedCrash { throw crash }
        logFailure(row, error)
        return try await record(row) { self.failure($0, definition, index, error, notes) }
    }

    private func failure(
        _ row: WorkflowRecord, _ definition: WorkflowDefinition, _ index: Int, _ error: any Error, _ notes: [String]
    ) -> Transition {
        if let unreadable = error as? UnreadableRow {
            return planner.blocked(row, reason: "\(Planner.unreadable): \(unreadable.cause)", now: world.now)
        }
        let verdict = Verdict(error, step: row.step)
        return planner.failed(
            row, definition.outline, index, verdict.failure, isTransient: verdict.isTransient, notes: notes,
            now: world.now)
    }

    /// Records an outcome over the present row, unless it is recorded already.
    private func record(
        _ lastKnown: WorkflowRecord, _ plan: @escaping @Sendable (WorkflowRecord) -> Transition
    ) async throws -> WorkflowRecord? {
        let turn = try await persist(lastKnown, .outcomeRecord) { tx in
            let row = try leases.requireOwned(lastKnown, in: tx)
            // An earlier try was committed, and only its answer was lost.
            guard row.sequence == lastKnown.sequence else { return .recorded(row) }
            return .recorded(try commit(plan(row), over: row, tx))
        }
        guard case .recorded(let row)? = turn else { return nil }
        return row
    }

    /// Writes until the database answers. Returns nil if the row has another owner, which must not be written over, or
    /// if the retries are used up.
    private func persist(
        _ row: WorkflowRecord, _ moment: FaultPlan.Moment, _ body: @escaping @Sendable (Transaction) throws -> Turn
    ) async throws -> Turn? {
        for attempt in 0... {
            do {
                return try await write(row, moment, body)
            } catch is OwnershipLost {
                logLost(row)
                return nil
            } catch let failed as BodyFailed {
                return .failed(failed.index, failed.definition, failed.error, notes: failed.notes)
            } catch let crash as SimulatedCrash {
                throw crash
            } catch {
                let isAway = (error as? CloudError)?.isTransient == true
                stepLog(row).log(level: isAway ? .warning : .error, "the workflow cannot be recorded yet: \(error)")
                // Without an answer the lease runs out, and the next owner carries on from the last record.
                guard attempt < settings.mostRecordAttempts, !Task.isCancelled else { return nil }
                // The first retry follows at once, because the usual cause is a closed connection.
                if attempt > 0 { try? await sleeper.sleep(until: world.now + Retry.patient.delay(after: attempt)) }
            }
        }
        return nil
    }

    private func write(
        _ row: WorkflowRecord, _ moment: FaultPlan.Moment, _ body: @escaping @Sendable (Transaction) throws -> Turn
    ) async throws -> Turn {
        guard case .databaseAway(let isCommitted) = faults.fault(at: moment, of: row) else {
            return try await database.write(body)
        }
        if isCommitted { _ = try await database.write(body) }
        var away = CloudError(.unavailable, "The database is away.")
        away.isTransient = true
        throw away
    }
}

/// The error of a step's body, on its way out of the transaction that it rolls back.
private struct BodyFailed: Error {
    let index: Int
    let definition: WorkflowDefinition
    let error: any Error
    let notes: [String]
}

/// The meaning of an error for a step.
struct Verdict {
    let failure: Failure
    let isTransient: Bool

    init(_ error: any Error, step: String) {
        switch error {
        case is WorkflowCancelled:
            failure = .cancelled(at: step)
            isTransient = false
        case let error as CloudError:
            failure = Failure(step: step, error: error)
            isTransient = error.isTransient
        default:
            // An error of unknown meaning is a bug; a retry would only hide it.
            failure = Failure(step: step, error: .internalError("an error of no known kind", cause: error))
            isTransient = false
        }
    }
}
