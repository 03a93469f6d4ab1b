import CloudCore
import SQL

/// The place of a step in its workflow.
struct StepPlace: Sendable {
    let definition: WorkflowDefinition
    let index: Int
}

/// The result of one transaction of the executor.
struct Turn: Sendable {
    /// The row as it now is.
    var row: WorkflowRecord
    /// The steps that the transaction ended: each with the row before and after it.
    var ended: [(before: WorkflowRecord, after: WorkflowRecord)] = []
    /// The remote step whose start the transaction recorded last.
    var begun: StepPlace?
}

/// The error of a step's body, on its way out of the transaction that it rolls back.
struct BodyFailed: Error {
    let step: StepPlace
    let error: any Error
    let notes: [String]
    /// Whether the transaction had recorded other steps before this one.
    let isBehindOthers: Bool
}

/// The work of one transaction.
extension Executor {
    /// Returns the transition by which the outcome of a step is recorded over the present row.
    typealias Outcome = @Sendable (WorkflowRecord) -> Transition

    /// Records an outcome or carries out one step. In a chain it goes on with the steps that follow, up to the start of
    /// a remote step. All of it is one commit: after a crash all of these steps were done, or none.
    ///
    /// - Parameters:
    ///   - outcome: the outcome of a remote step; nil to begin with the present step.
    ///   - isChain: whether the transaction goes on after the first step.
    func turn(
        _ lastKnown: WorkflowRecord, _ outcome: Outcome?, isChain: Bool, _ tx: Transaction
    ) throws -> Turn {
        let current = try leases.requireOwned(lastKnown, in: tx)
        var turn = Turn(row: current)
        var all = Transition(current, now: world.now)
        if let outcome {
            // An earlier try was committed, and only its answer was lost.
            guard current.sequence == lastKnown.sequence else { return turn }
            all.append(outcome(current))
            turn.ended.append((current, all.row))
        }
        while all.row.status == .running, turn.ended.isEmpty || isChain && !isQuiescing() {
            let before = all.row
            let definition: WorkflowDefinition
            switch catalog.definition(for: before) {
            case .success(let known): definition = known
            case .failure(let unknown):
                all.append(planner.blocked(before, reason: unknown.reason, now: world.now))
                continue
            }
            switch planner.next(before, definition.outline, now: world.now) {
            case .record(let transition): all.append(transition)
            case .remote(let index, _) where isChain && isIdle(before, definition, index):
                all.append(planner.passedOver(before, definition.outline, index, now: world.now))
            case .remote(let index, let began):
                all.append(began)
                turn.begun = StepPlace(definition: definition, index: index)
            case .local(let index):
                let isBehindOthers = !turn.ended.isEmpty
                all.append(try local(before, StepPlace(definition: definition, index: index), isBehindOthers, tx))
            case .wait(let index, let terms):
                all.append(try wait(before, StepPlace(definition: definition, index: index), terms, tx))
            }
            if turn.begun != nil { break }
            turn.ended.append((before, all.row))
        }
        turn.row = try commit(all, over: current, tx)
        return turn
    }

    /// Claims belong to several workflows, and one body that fails would roll back all of them. So only the start of a
    /// remote step is recorded together with the claim of its workflow.
    func begin(_ claimed: WorkflowRecord, in tx: Transaction) throws -> Turn {
        guard faults.allowsChains, claimed.interrupted <= 1,
            case .success(let definition) = catalog.definition(for: claimed),
            case .remote(let index, let began) = planner.next(claimed, definition.outline, now: world.now),
            !isIdle(claimed, definition, index)
        else { return Turn(row: claimed) }
        let step = StepPlace(definition: definition, index: index)
        return Turn(row: try commit(began, over: claimed, tx), begun: step)
    }

    /// Returns whether a remote step has nothing to do. A state that cannot be read is left to the body.
    private func isIdle(_ row: WorkflowRecord, _ definition: WorkflowDefinition, _ index: Int) -> Bool {
        guard row.direction == .forward, row.attempt == 0 else { return false }
        return (try? definition.isNeeded(index, row)) == false
    }

    private func local(
        _ row: WorkflowRecord, _ step: StepPlace, _ isBehindOthers: Bool, _ tx: Transaction
    ) throws -> Transition {
        let journal = Journal()
        let state: String
        do {
            try faults.fault(at: .body, of: row)?.raise()
            state = try step.definition.local(step.index, row, journal, stepLog(row), tx)
            try faults.fault(at: .afterBody, of: row)?.raise()
        } catch let error as SQLError where error.isTransient {
            // The database layer throws such errors and handles them: it runs the transaction again.
            throw error
        } catch let crash as SimulatedCrash {
            throw crash
        } catch {
            // The error is thrown on, so that the changes of the body are rolled back; see `persist`.
            throw BodyFailed(step: step, error: error, notes: journal.notes, isBehindOthers: isBehindOthers)
        }
        return planner.succeeded(
            row, step.definition.outline, step.index, state: state, notes: journal.notes, now: world.now)
    }

    private func wait(
        _ row: WorkflowRecord, _ step: StepPlace, _ terms: WaitTerms, _ tx: Transaction
    ) throws -> Transition {
        let outline = step.definition.outline
        var notes: [String] = []
        for signal in try terms.signal.map({ try signals.list($0, for: row.id, in: tx) }) ?? [] {
            try signals.delete(signal, for: row.id, in: tx)
            switch Result(catching: { try step.definition.receive(step.index, row, signal) }) {
            case .success(nil): notes.append("Passed over a signal '\(signal.name)'.")
            case .success(let state?):
                return planner.succeeded(row, outline, step.index, state: state, notes: notes, now: world.now)
            case .failure(let error):
                // The signal is removed together with the failure: it must not fail the step again after a retry.
                return failure(row, step, error, notes)
            }
        }
        return planner.waits(row, outline, step.index, terms, notes: notes, now: world.now)
    }

    /// Writes a transition, and the effects of its end on the other workflows of the resource.
    private func commit(_ transition: Transition, over row: WorkflowRecord, _ tx: Transaction) throws -> WorkflowRecord
    {
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

    func failure(
        _ row: WorkflowRecord, _ step: StepPlace, _ error: any Error, _ notes: [String]
    ) -> Transition {
        if let unreadable = error as? UnreadableRow {
            return planner.blocked(row, reason: "\(Planner.unreadable): \(unreadable.cause)", now: world.now)
        }
        let verdict = Verdict(error, step: row.step)
        return planner.failed(
            row, step.definition.outline, step.index, verdict.failure, isTransient: verdict.isTransient, notes: notes,
            now: world.now)
    }
}
