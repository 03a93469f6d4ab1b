import CloudCore

/// The rules for what happens next. The planner is pure: a row, the outline of its workflow and the time go in; an
/// action or the next form of the row comes out. It reads no table and calls nobody, so every case can be tested.
struct Planner: Sendable {
    /// The number of attempts of one undo after which the workflow is stuck.
    var mostUndos = 12
    /// The number of attempts of a step that must succeed in the end, from which a permanent failure lets a waiting
    /// delete take the place of the workflow.
    var attemptsBeforeGivingWay = 3
    /// The most claims without an outcome; with more, the step counts as one that kills its process.
    var mostInterruptions = 20

    enum Action: Equatable {
        /// Run the local step, or its undo, in the transaction that records its outcome.
        case local(Int)
        /// Record that the remote step begins, then run it.
        case remote(Int, began: Transition)
        /// Look for signals; without one, keep waiting.
        case wait(Int, WaitTerms)
        /// Run nothing; only change the row.
        case record(Transition)
    }

    func next(_ row: WorkflowRecord, _ outline: Outline, now: Timestamp) -> Action {
        guard let index = outline.index(of: row.step) else {
            return .record(blocked(row, reason: "There is no step '\(row.step)'.", now: now))
        }
        let step = outline.steps[index]
        if row.interrupted > mostInterruptions {
            let reason = "The process ended \(mostInterruptions) times during '\(row.step)' without an outcome."
            return .record(stuck(row, reason: reason, events: [], now: now))
        }
        if row.cancelRequested, row.direction == .forward, !step.isPastReturn {
            return .record(fails(row, outline, index, .cancelled(at: row.step), events: [], now: now))
        }
        switch step.nature {
        case .local: return .local(index)
        case .remote: return .remote(index, began: began(row, now: now))
        case .wait(let terms): return .wait(index, terms)
        }
    }

    // MARK: Outcomes

    /// Returns the transition after a step's body or undo has succeeded.
    func succeeded(
        _ row: WorkflowRecord, _ outline: Outline, _ index: Int, state: String, notes: [String], now: Timestamp
    ) -> Transition {
        var next = Transition(row, now: now)
        next.row.state = state
        next.row.interrupted = 0
        next.note(notes)
        next.event(.succeeded)
        switch row.direction {
        case .undo: unwind(&next, outline, below: index, now: now)
        case .forward:
            guard let following = outline.index(after: index) else {
                next.row.progress = 100
                next.finish(.succeeded, now: now)
                break
            }
            next.enter(outline.steps[following].name)
            next.row.progress = following * 100 / outline.steps.count
        }
        return next
    }

    /// Returns the transition of a remote step that has nothing to do.
    func passedOver(_ row: WorkflowRecord, _ outline: Outline, _ index: Int, now: Timestamp) -> Transition {
        succeeded(row, outline, index, state: row.state, notes: [], now: now)
    }

    /// Returns the transition after a step's body or undo has thrown.
    func failed(
        _ row: WorkflowRecord, _ outline: Outline, _ index: Int, _ failure: Failure, isTransient: Bool, notes: [String],
        now: Timestamp
    ) -> Transition {
        let step = outline.steps[index]
        var row = row
        // The attempt of a remote step was counted at its start. The attempts of other steps are counted by their
        // failures.
        if !step.isRemote { row.attempt += 1 }
        row.interrupted = 0
        let events = notes.map { WorkflowEvent(row, .note, data: $0) }
        switch row.direction {
        case .forward where step.isPastReturn:
            return retried(row, failure, by: .patient, isTransient: isTransient, events: events, now: now)
        case .forward where isTransient && !failure.isCancellation && row.attempt < step.retry.attempts:
            return retried(row, failure, by: step.retry, isTransient: isTransient, events: events, now: now)
        case .forward:
            return fails(row, outline, index, failure, events: events, now: now)
        case .undo where row.attempt < mostUndos:
            return retried(row, failure, by: .patient, isTransient: isTransient, events: events, now: now)
        case .undo:
            let failed = WorkflowEvent(row, .failed, data: failure.json)
            return stuck(row, reason: "The undo of '\(row.step)' failed: \(failure.text)", events: events + [failed], now: now)
        }
    }

    /// Returns the transition of a wait that no signal has ended.
    func waits(
        _ row: WorkflowRecord, _ outline: Outline, _ index: Int, _ terms: WaitTerms, notes: [String], now: Timestamp
    ) -> Transition {
        guard let until = row.waitUntil else { return rests(row, notes, until: now + terms.timeout, .started, now: now) }
        if now < until { return rests(row, notes, until: until, nil, now: now) }
        let late = notes + ["The wait was over after \(Int(terms.timeout.inSeconds)) s."]
        switch terms.onTimeout {
        case .proceed:
            return succeeded(row, outline, index, state: row.state, notes: terms.signal == nil ? notes : late, now: now)
        case .fail where outline.steps[index].isPastReturn:
            return rests(row, late, until: now + terms.timeout, .retried, now: now)
        case .fail:
            let error = CloudError(.timeout, "The action took too long.", detail: "no signal '\(terms.signal?.text ?? "")'")
            let failure = Failure(step: row.step, error: error)
            return failed(row, outline, index, failure, isTransient: false, notes: late, now: now)
        }
    }

    /// The beginning of the reason when the steps are known and the stored values cannot be read.
    static let unreadable = "The stored input or state is not what this binary expects"

    /// Returns the transition of a workflow that this binary cannot carry on.
    func blocked(_ row: WorkflowRecord, reason: String, now: Timestamp) -> Transition {
        var next = Transition(row, now: now)
        next.row.status = .blocked
        next.row.reason = reason
        next.row.interrupted = 0
        next.event(.note, data: "Blocked. \(reason)")
        return next
    }

    /// Returns the transition of a workflow whose process ends: another process may claim it at once.
    func handedBack(_ row: WorkflowRecord, now: Timestamp) -> Transition {
        var next = Transition(row, now: now)
        next.row.status = .ready
        next.row.runAfter = now
        next.row.interrupted = 0
        return next
    }

    /// Returns the transition of a workflow that ends before it begins, without an undo.
    func calledOff(_ row: WorkflowRecord, _ failure: Failure, now: Timestamp) -> Transition {
        var next = Transition(row, now: now)
        next.row.failure = failure
        next.row.direction = .undo
        next.event(.failed, data: failure.json)
        next.finish(.unwound, now: now)
        return next
    }

    /// Returns the transition of a workflow that does not end by itself and gives way to a queued delete. The delete
    /// removes whatever it finds.
    func gaveWay(_ transition: Transition, now: Timestamp) -> Transition {
        var next = transition
        let reason = next.row.reason ?? (next.givesWay ? "'\(next.row.step)' failed \(next.row.attempt) times." : nil)
        let why = reason.map { " It was \(next.row.status.rawValue): \($0)" } ?? ""
        next.row.reason = "superseded.\(why)"
        next.row.abandonedBy = "novella"
        next.finish(.abandoned, now: now)
        return next
    }

    // MARK: Parts

    private func began(_ row: WorkflowRecord, now: Timestamp) -> Transition {
        var next = Transition(row, now: now)
        next.row.attempt += 1
        if Self.isRecorded(next.row.attempt) { next.event(.started) }
        return next
    }

    private func fails(
        _ row: WorkflowRecord, _ outline: Outline, _ index: Int, _ failure: Failure, events: [WorkflowEvent], now: Timestamp
    ) -> Transition {
        var next = Transition(row, now: now, events: events)
        next.row.failure = failure
        next.row.interrupted = 0
        next.event(.failed, data: failure.json)
        // A local step that failed was rolled back with its transaction. A remote step that was begun may have done
        // anything. A row of release 0.1 may stand at an undo without a step: whatever the start made exists, so the
        // undo must run.
        let step = outline.steps[index]
        let isDirty = step.isUndoOnly || step.isRemote && row.attempt > 0
        unwind(&next, outline, below: isDirty ? index + 1 : index, now: now)
        return next
    }

    /// Moves to the nearest earlier step that has an undo, or ends the workflow.
    private func unwind(_ next: inout Transition, _ outline: Outline, below index: Int, now: Timestamp) {
        next.row.direction = .undo
        if let step = outline.steps[..<index].last(where: \.hasUndo) {
            next.enter(step.name)
        } else {
            next.finish(.unwound, now: now)
        }
    }

    private func retried(
        _ row: WorkflowRecord, _ failure: Failure, by retry: Retry, isTransient: Bool, events: [WorkflowEvent], now: Timestamp
    ) -> Transition {
        var next = Transition(row, now: now, events: events)
        next.row.status = .ready
        next.row.runAfter = now + retry.delay(after: row.attempt)
        // The patient retry is for work without an end of its own: undos, and steps past the point of no return. A host
        // that is away for a while (a transient error) is waited for: only this workflow knows what is left on it, and
        // a delete would have to wait for it as well.
        next.givesWay = retry == .patient && !isTransient && row.attempt >= attemptsBeforeGivingWay
        if Self.isRecorded(row.attempt) { next.event(.retried, data: failure.json) }
        return next
    }

    private func rests(
        _ row: WorkflowRecord, _ notes: [String], until: Timestamp, _ event: WorkflowEvent.Kind?, now: Timestamp
    ) -> Transition {
        var next = Transition(row, now: now)
        next.row.status = .waiting
        next.row.waitUntil = until
        next.row.runAfter = until
        next.row.interrupted = 0
        next.note(notes)
        if let event { next.event(event) }
        return next
    }

    private func stuck(_ row: WorkflowRecord, reason: String, events: [WorkflowEvent], now: Timestamp) -> Transition {
        var next = Transition(row, now: now, events: events)
        next.row.status = .stuck
        next.row.reason = reason
        next.row.interrupted = 0
        next.event(.note, data: "Stuck. \(reason)")
        return next
    }

    /// Returns whether an attempt is written to the history: each of the first eight, then each power of two. A step
    /// that is retried for weeks would otherwise fill the history.
    static func isRecorded(_ attempt: Int) -> Bool { attempt <= 8 || attempt & (attempt - 1) == 0 }
}
