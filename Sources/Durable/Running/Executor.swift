import CloudCore
import Logging
import SQL
import Telemetry

/// The loop that carries a claimed workflow on until it ends, waits or is handed back. The planner makes all decisions,
/// over the row as the transaction sees it, so no cancel and no other owner can slip in between. One transaction
/// records as much as it can: the outcome of a remote step, the local steps behind it and the start of the next remote
/// step.
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

    /// Carries a claimed workflow on.
    ///
    /// - Throws: `SimulatedCrash`, in tests. Every other error is recorded.
    func run(_ claimed: Turn) async throws {
        let share = claimed.row.projectID.map { Share.project($0.text) } ?? .cloud
        try await Budget.$current.withValue(Budget(nil, share: share)) { try await carryOn(claimed) }
    }

    private func carryOn(_ claimed: Turn) async throws {
        var last = claimed
        while last.row.status == .running {
            if last.begun == nil, isQuiescing() || Task.isCancelled {
                _ = try await record(last.row) { self.planner.handedBack($0, now: self.world.now) }
                return
            }
            // The span of a remote step begins with its body.
            let span = last.begun != nil || !catalog.isRemote(last.row) ? startSpan(ofStep: last.row) : nil
            guard let next = try await within(span, { try await advance(last, span) }) else { return }
            end(span, next)
            last = next
        }
        logEnd(last.row)
        writeSpan(ofEnded: last.row)
    }

    /// Carries out one step, or one attempt of it. Returns nil if the row has another owner, or if it could not be
    /// written.
    private func advance(_ last: Turn, _ span: FileSpan?) async throws -> Turn? {
        let row = last.row
        let next: Turn?
        if let begun = last.begun {
            try await faults.strike(.afterStart, row)
            next = try await remote(row, begun, span)
        } else {
            try await faults.strike(.beforeStart, row)
            // For a remote step this transaction only records its start; for the others it records everything.
            let moment: FaultPlan.Moment = catalog.isRemote(row) ? .startRecord : .outcomeRecord
            do {
                next = try await persist(row, moment)
                // Only the start of this step was recorded.
                if let next, next.begun != nil, next.ended.isEmpty { return next }
            } catch let failed as BodyFailed {
                setFailure(span, row, failed.error)
                next = try await fail(row, failed.step, failed.error, failed.notes)
            }
        }
        guard let next else { return nil }
        let isWaiting = next.row.status == .waiting && next.row.step == row.step
        try await faults.strike(isWaiting ? .afterStart : .afterOutcome, row)
        return next
    }

    // MARK: Out of the transaction

    private func remote(_ row: WorkflowRecord, _ step: StepPlace, _ span: FileSpan?) async throws -> Turn? {
        let attempt = RemoteAttempt(executor: self, row: row, definition: step.definition, index: step.index)
        switch try await attempt.run() {
        case .lost:
            logLost(row)
            return nil
        case .interrupted:
            return try await record(row) { self.planner.handedBack($0, now: self.world.now) }
        case .succeeded(let state, let notes):
            return try await record(row) {
                self.planner.succeeded(
                    $0, step.definition.outline, step.index, state: state, notes: notes, now: self.world.now)
            }
        case .failed(let error, let notes):
            setFailure(span, row, error)
            return try await fail(row, step, error, notes)
        }
    }

    private func fail(
        _ row: WorkflowRecord, _ step: StepPlace, _ error: any Error, _ notes: [String]
    ) async throws -> Turn? {
        if let crash = error as? SimulatedCrash { throw crash }
        logFailure(row, error)
        return try await record(row) { self.failure($0, step, error, notes) }
    }

    /// Records an outcome over the present row, unless it is recorded already.
    private func record(_ lastKnown: WorkflowRecord, _ outcome: @escaping Outcome) async throws -> Turn? {
        try await persist(lastKnown, .outcomeRecord, outcome)
    }

    /// Writes until the database answers. Returns nil if the row has another owner, which must not be written over, or
    /// if the retries are used up.
    ///
    /// - Throws: `BodyFailed` if the first step of the transaction failed.
    private func persist(
        _ row: WorkflowRecord, _ moment: FaultPlan.Moment, _ outcome: Outcome? = nil
    ) async throws -> Turn? {
        // A step that kills its process shows by its own record, which must not be rolled back together with others.
        var isChain = faults.allowsChains && row.interrupted <= 1
        // The tries without an answer. A try that a failed body ends is not one of them: it must not make the next one
        // wait.
        var unanswered = 0
        while true {
            do {
                return try await write(row, moment) { [isChain] tx in
                    try turn(row, outcome, isChain: isChain, tx)
                }
            } catch is OwnershipLost {
                logLost(row)
                return nil
            } catch let failed as BodyFailed {
                guard failed.isBehindOthers else { throw failed }
                // The steps before it were rolled back with it. They are recorded without it.
                isChain = false
            } catch let crash as SimulatedCrash {
                throw crash
            } catch {
                let isAway = (error as? CloudError)?.isTransient == true
                stepLog(row).log(level: isAway ? .warning : .error, "the workflow cannot be recorded yet: \(error)")
                // Without an answer the lease runs out, and the next owner carries on from the last record.
                guard unanswered < settings.mostRecordAttempts, !Task.isCancelled else { return nil }
                // The first retry follows at once, because the usual cause is a closed connection.
                if unanswered > 0 {
                    try? await sleeper.sleep(until: world.now + Retry.patient.delay(after: unanswered))
                }
                unanswered += 1
                isChain = false
            }
        }
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
