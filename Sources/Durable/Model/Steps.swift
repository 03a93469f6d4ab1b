package import SQL

/// A step that changes rows and nothing else. Its body runs in the transaction that also records its completion: the
/// change and the record are one, so it happens exactly once. A transaction may be run again before it is committed,
/// so a body has no effect but through `Transaction`.
package struct Local<W: Workflow>: Sendable {
    package typealias Body = @Sendable (inout W.State, Run<W>, Transaction) throws -> Void
    package typealias Undo = @Sendable (W.State, Run<W>, Transaction) throws -> Void
    let step: Step<W>

    package init(
        _ name: String, shows: ShownState? = nil, retry: Retry = .standard, _ body: @escaping Body, undo: Undo? = nil
    ) {
        let outline = StepOutline(name: name, nature: .local, hasUndo: undo != nil, shows: shows, retry: retry)
        step = Step(outline: outline, work: .local(body, undo))
    }
}

/// A step that reaches out of the database: to an agent, a file, another service. It happens at least once: after a crash
/// in the middle its body runs again, with the same derived ids, so it says "ensure" and never "create".
///
/// Its undo must succeed whether the body did nothing, half or all. It sees the state as it was last recorded, that is without what the
/// failing body put in; `run.id(for:)` lets it find what was left behind.
package struct Remote<W: Workflow>: Sendable {
    package typealias Body = @Sendable (inout W.State, Run<W>) async throws -> Void
    package typealias Undo = @Sendable (W.State, Run<W>) async throws -> Void
    let step: Step<W>

    /// - Parameter deadline: how long one attempt may take. The body is then cancelled, and the attempt counts as a
    ///   transient error.
    package init(
        _ name: String, shows: ShownState? = nil, retry: Retry = .standard, deadline: Duration = .seconds(120),
        _ body: @escaping Body, undo: Undo? = nil
    ) {
        let outline = StepOutline(
            name: name, nature: .remote(deadline: deadline), hasUndo: undo != nil, shows: shows, retry: retry)
        step = Step(outline: outline, work: .remote(body, undo))
    }
}

/// A step that holds no thread and no task until a signal arrives or time passes. It survives a restart, and a signal
/// that came before the wait began counts.
package struct Wait<W: Workflow>: Sendable {
    /// Looks at a signal: true ends the wait, false drops the signal and waits on (an older generation, a repetition), and an
    /// error fails the step. It is a pure function: it may run more than once for one signal.
    package typealias Receive = @Sendable (inout W.State, Signal) throws -> Bool
    let step: Step<W>

    /// Waits for a signal.
    package init(
        _ name: String, shows: ShownState? = nil, signal: SignalName, timeout: Duration,
        onTimeout: WaitTerms.Timeout = .fail, _ receive: @escaping Receive = { _, _ in true }
    ) {
        let terms = WaitTerms(signal: signal, timeout: timeout, onTimeout: onTimeout)
        step = Step(outline: StepOutline(name: name, nature: .wait(terms), shows: shows), work: .wait(receive))
    }

    /// Waits for time to pass.
    package init(_ name: String, shows: ShownState? = nil, lasting time: Duration) {
        let terms = WaitTerms(signal: nil, timeout: time, onTimeout: .proceed)
        step = Step(outline: StepOutline(name: name, nature: .wait(terms), shows: shows), work: .wait { _, _ in true })
    }
}

/// Stands in the list for an undo without a step. Nothing happens there on the way forward. When the workflow is undone from further
/// down, the undo runs in its turn, with the promises of any other: it is repeated after a crash, and tried until it succeeds.
///
/// At the head of the list it is the undo of the whole workflow: it runs last, whichever step has failed, and also when the workflow is
/// called off before it begins. So it takes back what was made together with the start.
package struct WhenUndone<W: Workflow>: Sendable {
    let step: Step<W>

    /// An undo that changes rows and nothing else, in the transaction that also records it.
    package init(_ name: String, shows: ShownState? = nil, _ undo: @escaping Local<W>.Undo) {
        let outline = StepOutline(name: name, nature: .local, hasUndo: true, shows: shows, isUndoOnly: true)
        step = Step(outline: outline, work: .local({ _, _, _ in }, undo))
    }

    /// An undo that reaches out of the database.
    ///
    /// - Parameter deadline: how long one attempt may take.
    package init(
        _ name: String, shows: ShownState? = nil, deadline: Duration = .seconds(120), _ undo: @escaping Remote<W>.Undo
    ) {
        let outline = StepOutline(
            name: name, nature: .remote(deadline: deadline), hasUndo: true, shows: shows, isUndoOnly: true)
        step = Step(outline: outline, work: .remote({ _, _ in }, undo))
    }
}

/// Stands between two steps: what comes after it is tried until it succeeds, and never undone. A cancel is no longer
/// heard. A workflow that begins with it, as a delete does, only goes forward.
package struct PointOfNoReturn: Sendable {
    package init() {}
}

/// A step with its code.
struct Step<W: Workflow>: Sendable {
    enum Work: Sendable {
        case local(Local<W>.Body, Local<W>.Undo?)
        case remote(Remote<W>.Body, Remote<W>.Undo?)
        case wait(Wait<W>.Receive)
    }

    var outline: StepOutline
    let work: Work
}

/// The steps of a workflow, in their order.
package struct Steps<W: Workflow>: Sendable {
    let steps: [Step<W>]
    let pivots: Int
}

@resultBuilder
package enum StepsBuilder<W: Workflow> {
    /// One line of the list.
    package struct Line: Sendable {
        let step: Step<W>?
    }

    package static func buildExpression(_ step: Local<W>) -> Line { Line(step: step.step) }
    package static func buildExpression(_ step: Remote<W>) -> Line { Line(step: step.step) }
    package static func buildExpression(_ step: Wait<W>) -> Line { Line(step: step.step) }
    package static func buildExpression(_ undo: WhenUndone<W>) -> Line { Line(step: undo.step) }
    package static func buildExpression(_: PointOfNoReturn) -> Line { Line(step: nil) }

    package static func buildBlock(_ lines: Line...) -> Steps<W> {
        var steps: [Step<W>] = []
        var pivots = 0
        for line in lines {
            guard var step = line.step else {
                pivots += 1
                continue
            }
            step.outline.isPastReturn = pivots > 0
            steps.append(step)
        }
        return Steps(steps: steps, pivots: pivots)
    }
}
