import Durable

/// One way in which a run is disturbed, with the end that it must come to all the same.
enum Trial: Sendable, CustomStringConvertible {
    /// The end that a run must come to.
    enum Verdict: Sendable {
        /// The workflow succeeds, with the outcome of an undisturbed run.
        case succeeds
        /// The workflow is undone, and nothing is left of it.
        case leavesNothing
        /// The workflow succeeds or leaves nothing.
        case either
    }

    case undisturbed
    /// A step throws a permanent error, either before its body has done anything or after it has done everything.
    case fails(StepOutline, isDone: Bool)
    case bodyTwice(StepOutline)
    case undoTwice(StepOutline)
    case crash(StepOutline, WorkflowRecord.Direction, FaultPlan.Moment)
    /// Another process takes the workflow over while its owner is at a step, and ends it before the owner goes on.
    case twoOwners(StepOutline, WorkflowRecord.Direction, FaultPlan.Moment)
    case databaseAway(StepOutline, WorkflowRecord.Direction, FaultPlan.Moment, isCommitted: Bool)
    /// The workflow is cancelled after a step; nil for before the first step.
    case cancelled(after: StepOutline?)
    case timesOut(StepOutline)
    case signalsEarly, signalsTwice, signalsLate
    case signalsStale(StepOutline)
    case mixture(seed: UInt64)

    /// Returns all trials of a workflow.
    static func all(of outline: Outline) -> [Trial] {
        var trials: [Trial] = [.undisturbed, .cancelled(after: nil)]
        for step in outline.steps {
            if !step.isUndoOnly { trials += forward(step) }
            if step.hasUndo { trials += undo(step) }
        }
        if outline.steps.contains(where: { $0.waits?.signal != nil }) {
            trials += [.signalsEarly, .signalsTwice, .signalsLate]
        }
        return trials + (1...4).map { .mixture(seed: $0) }
    }

    /// Returns the trials with transactions of several steps, as the product has them: a crash before and after each
    /// commit, and before and after each effect outside.
    static func chained(of outline: Outline) -> [Trial] {
        let steps = outline.steps.filter { !$0.isUndoOnly && $0.waits == nil }
        var trials = [Trial.undisturbed]
        for step in steps {
            trials += [.fails(step, isDone: false), .fails(step, isDone: true)]
            guard step.isRemote else {
                trials.append(.crash(step, .forward, .afterBody))
                continue
            }
            // The moments around the body of a remote step are those around the commits beside it.
            let moments: [FaultPlan.Moment] = [.afterStart, .afterBody, .afterOutcome]
            trials += moments.map { .crash(step, .forward, $0) } + [.twoOwners(step, .forward, .afterBody)]
            trials += [false, true].map { .databaseAway(step, .forward, .outcomeRecord, isCommitted: $0) }
            if step.hasUndo { trials += moments.map { .crash(step, .undo, $0) } }
        }
        return trials + (5...10).map { .mixture(seed: $0) }
    }

    private static func forward(_ step: StepOutline) -> [Trial] {
        var trials: [Trial] = [.cancelled(after: step)]
        if step.waits == nil { trials += [.fails(step, isDone: false), .fails(step, isDone: true)] }
        if step.isRemote { trials.append(.bodyTwice(step)) }
        if step.waits?.signal != nil { trials += [.timesOut(step), .signalsStale(step)] }
        return trials + bothWays(step, .forward)
    }

    private static func undo(_ step: StepOutline) -> [Trial] {
        (step.isRemote ? [.undoTwice(step)] : []) + bothWays(step, .undo)
    }

    private static func bothWays(_ step: StepOutline, _ direction: WorkflowRecord.Direction) -> [Trial] {
        let crashes: [FaultPlan.Moment] =
            switch step.nature {
            case .remote: [.beforeStart, .afterStart, .afterBody, .afterOutcome]
            case .local: [.beforeStart, .afterBody, .afterOutcome]
            case .wait: [.beforeStart, .afterStart, .afterOutcome]
            }
        let handovers: [FaultPlan.Moment] = step.isRemote ? [.beforeStart, .afterStart, .afterBody] : [.beforeStart]
        let records: [FaultPlan.Moment] = step.isRemote ? [.startRecord, .outcomeRecord] : [.outcomeRecord]
        return crashes.map { .crash(step, direction, $0) } + handovers.map { .twoOwners(step, direction, $0) }
            + records.flatMap { moment in
                [false, true].map { .databaseAway(step, direction, moment, isCommitted: $0) }
            }
    }

    func verdict(in outline: Outline) -> Verdict {
        switch self {
        case .undisturbed, .bodyTwice, .signalsEarly, .signalsTwice, .signalsLate, .signalsStale: .succeeds
        case .fails(let step, _): step.isPastReturn ? .succeeds : .leavesNothing
        case .undoTwice: .leavesNothing
        case .crash(_, let direction, _), .twoOwners(_, let direction, _), .databaseAway(_, let direction, _, _):
            direction == .forward ? .succeeds : .leavesNothing
        case .cancelled(let step):
            Self.isHeard(after: step, in: outline) ? .leavesNothing : .succeeds
        case .timesOut(let step):
            step.isPastReturn || step.waits?.onTimeout == .proceed ? .succeeds : .leavesNothing
        case .mixture: .either
        }
    }

    /// Returns whether a cancel has an effect between a step and the next one.
    private static func isHeard(after step: StepOutline?, in outline: Outline) -> Bool {
        let next: Int = step.flatMap { step in outline.steps.firstIndex { $0.name == step.name } }.map { $0 + 1 } ?? 0
        return next < outline.steps.count && !outline.steps[next].isPastReturn
    }

    var description: String {
        switch self {
        case .undisturbed: "undisturbed"
        case .fails(let step, let isDone): "'\(step.name)' fails \(isDone ? "having done everything" : "having done nothing")"
        case .bodyTwice(let step): "'\(step.name)' runs twice"
        case .undoTwice(let step): "the undo of '\(step.name)' runs twice"
        case .crash(let step, let direction, let moment): "crash \(Self.at(step, direction, moment))"
        case .twoOwners(let step, let direction, let moment): "a second owner \(Self.at(step, direction, moment))"
        case .databaseAway(let step, let direction, let moment, let isCommitted):
            "the database is away \(Self.at(step, direction, moment))\(isCommitted ? ", having committed" : "")"
        case .cancelled(let step): "cancelled \(step.map { "after '\($0.name)'" } ?? "before the first step")"
        case .timesOut(let step): "nobody answers '\(step.name)'"
        case .signalsEarly: "signals come before their wait"
        case .signalsTwice: "signals come twice"
        case .signalsLate: "signals come after the end"
        case .signalsStale(let step): "stale signals for '\(step.name)'"
        case .mixture(let seed): "a mixture of faults, seed \(seed)"
        }
    }

    private static func at(
        _ step: StepOutline, _ direction: WorkflowRecord.Direction, _ moment: FaultPlan.Moment
    ) -> String {
        "at \(moment.rawValue) of \(direction == .undo ? "the undo of " : "")'\(step.name)'"
    }
}
