import CloudCore
import Logging
import SQL

/// One attempt of a remote step. The body runs beside a task that renews the lease and a task that watches the
/// deadline.
struct RemoteAttempt: Sendable {
    enum Outcome {
        case succeeded(state: String, notes: [String])
        case failed(any Error, notes: [String])
        /// Another runner owns the workflow, or may own it.
        case lost
        /// The process is about to end; the attempt says nothing about the step.
        case interrupted
    }

    private enum Ending: Sendable {
        case body(Result<String, any Error>)
        case leaseLost, deadline, stopped
    }

    let executor: Executor
    let row: WorkflowRecord
    let definition: WorkflowDefinition
    let index: Int

    func run() async throws -> Outcome {
        let changes = Nudge()
        let journal = Journal(onProgress: { changes.nudge() })
        executor.bell.attach(changes, to: row.id)
        defer { executor.bell.detach(changes, from: row.id) }

        var result: Result<String, any Error>?
        var isLost = false
        var isLate = false
        await withTaskGroup(of: Ending.self) { group in
            group.addTask { .body(await body(journal)) }
            group.addTask { await keepLease(journal, changes) ? .stopped : .leaseLost }
            group.addTask { await watchDeadline() ? .deadline : .stopped }
            // All three tasks are awaited: a body that is cancelled may still be writing to the world.
            for await ending in group {
                switch ending {
                case .body(let outcome): result = outcome
                case .leaseLost: isLost = true
                case .deadline: isLate = result == nil
                case .stopped: continue
                }
                group.cancelAll()
            }
        }
        if isLost { return .lost }
        do {
            let state = try result?.get() ?? row.state
            try await executor.faults.strike(.afterBody, row)
            return .succeeded(state: state, notes: journal.notes)
        } catch let crash as SimulatedCrash {
            throw crash
        } catch {
            // An error that is thrown while the process ends says nothing about the step.
            if Task.isCancelled { return .interrupted }
            return .failed(isLate ? timedOut(error) : error, notes: journal.notes)
        }
    }

    private func body(_ journal: Journal) async -> Result<String, any Error> {
        do {
            switch executor.faults.fault(at: .body, of: row) {
            case .twice: _ = try await definition.remote(index, row, journal, executor.stepLog(row))
            case .meanwhile(let happen): try await happen()
            case let fault: try fault?.raise()
            }
            return .success(try await definition.remote(index, row, journal, executor.stepLog(row)))
        } catch {
            return .failure(error)
        }
    }

    /// Renews the lease each third of its length, and writes progress at most once in `progressInterval`. Returns false
    /// if the lease is lost.
    private func keepLease(_ journal: Journal, _ changes: Nudge) async -> Bool {
        let world = executor.world
        let lease = executor.settings.lease
        var leaseUntil = row.leaseUntil ?? world.now
        var renewAt = world.now + lease / 3
        var lastWrite = world.now
        while true {
            let quiet = lastWrite + executor.settings.progressInterval
            await changes.wait(until: journal.hasShare ? min(quiet, renewAt) : renewAt, by: executor.sleeper)
            if Task.isCancelled { return true }
            let now = world.now
            // A nudge without progress may announce a cancel, which is looked up at once. Progress alone waits until
            // the next write is allowed.
            if journal.hasShare, now < min(quiet, renewAt) { continue }
            do {
                let until = now + lease
                if case .databaseAway = executor.faults.fault(at: .renewal, of: row) { throw SQLError.unavailable("a test") }
                guard let isCancelled = try await renew(until, overall(journal.takeShare()), now) else { return false }
                if isCancelled, !definition.outline.steps[index].isPastReturn { journal.requestCancel() }
                leaseUntil = until
                renewAt = now + lease / 3
                lastWrite = now
            } catch {
                executor.stepLog(row).warning("the lease of a running step cannot be renewed: \(error)")
                // From here on another runner may own the workflow.
                if world.now >= leaseUntil { return false }
                renewAt = min(now + executor.settings.progressInterval, leaseUntil)
            }
        }
    }

    private func renew(_ until: Timestamp, _ progress: Int?, _ now: Timestamp) async throws -> Bool? {
        try await executor.database.write { tx in
            try executor.leases.renew(row, until: until, progress: progress, now: now, in: tx)
        }
    }

    /// Returns the progress of the whole workflow in per cent for a share of this step; nil for an undo, which shows no
    /// progress.
    private func overall(_ share: Double?) -> Int? {
        guard row.direction == .forward else { return nil }
        return share.map { Int((Double(index) + $0) * 100) / definition.outline.steps.count }
    }

    private func watchDeadline() async -> Bool {
        guard case .remote(let deadline) = definition.outline.steps[index].nature else { return false }
        do {
            try await executor.sleeper.sleep(until: executor.world.now + deadline)
            return true
        } catch {
            return false
        }
    }

    private func timedOut(_ error: any Error) -> any Error {
        var late = CloudError(
            .timeout, "The action took too long.", detail: "'\(row.step)' did not end within its deadline", cause: error)
        late.isTransient = true
        return late
    }
}
