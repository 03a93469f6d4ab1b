package import SQL

/// A step that only changes rows. Its body runs in the transaction that also records its completion: change and record
/// are committed together, so the step happens exactly once. A transaction may run more than once before it is
/// committed, so the body must have no effect except through `Transaction`.
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

/// A step that reaches out of the database: to an agent, a file, another service. It happens at least once: after a
/// crash in the middle its body runs again with the same derived ids, so the body must "ensure" a thing rather than
/// "create" it.
///
/// The undo must succeed whether the body did nothing, half or all. It gets the state as it was last recorded, without
/// the changes of the body that failed; `run.id(for:)` lets it find what was left behind.
package struct Remote<W: Workflow>: Sendable {
    package typealias Body = @Sendable (inout W.State, Run<W>) async throws -> Void
    package typealias Undo = @Sendable (W.State, Run<W>) async throws -> Void
    package typealias Need = @Sendable (W.State, W.Input) throws -> Bool
    private(set) var step: Step<W>

    /// - Parameter deadline: the longest time of one attempt. After it the body is cancelled, and the attempt counts as
    ///   a transient error.
    package init(
        _ name: String, shows: ShownState? = nil, retry: Retry = .standard, deadline: Duration = .seconds(120),
        _ body: @escaping Body, undo: Undo? = nil
    ) {
        let outline = StepOutline(
            name: name, nature: .remote(deadline: deadline), hasUndo: undo != nil, shows: shows, retry: retry)
        step = Step(outline: outline, work: .remote(body, undo))
    }

    /// Returns the same step with a function that tells whether its body has something to do. Without it, the step is
    /// passed over and needs no records of its own. The body must do nothing in that case, because it may run all the
    /// same.
    package func needed(_ need: @escaping Need) -> Self {
        var other = self
        other.step.need = need
        return other
    }
}

/// A step that waits for a signal or for time to pass, and holds no thread and no task meanwhile. The wait survives a
/// restart. A signal that came before the wait began counts.
package struct Wait<W: Workflow>: Sendable {
    /// Examines a signal. Returns true to end the wait, or false to drop the signal and wait on (an older generation, a
    /// repetition); an error fails the step. The function must be pure: it may run more than once for one signal.
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

/// An entry of the list for an undo without a step. It does nothing on the way forward. When the workflow is undone
/// from a later step, the undo runs in its turn, with the guarantees of any other: it is repeated after a crash, and
/// retried until it succeeds.
///
/// At the head of the list it is the undo of the whole workflow: it runs last, whichever step has failed, and also if
/// the workflow is called off before it begins. So it takes back what was made together with the start.
package struct WhenUndone<W: Workflow>: Sendable {
    let step: Step<W>

    /// Declares an undo that only changes rows, in the transaction that also records it.
    package init(_ name: String, shows: ShownState? = nil, _ undo: @escaping Local<W>.Undo) {
        let outline = StepOutline(name: name, nature: .local, hasUndo: true, shows: shows, isUndoOnly: true)
        step = Step(outline: outline, work: .local({ _, _, _ in }, undo))
    }

    /// Declares an undo that reaches out of the database.
    ///
    /// - Parameter deadline: the longest time of one attempt.
    package init(
        _ name: String, shows: ShownState? = nil, deadline: Duration = .seconds(120), _ undo: @escaping Remote<W>.Undo
    ) {
        let outline = StepOutline(
            name: name, nature: .remote(deadline: deadline), hasUndo: true, shows: shows, isUndoOnly: true)
        step = Step(outline: outline, work: .remote({ _, _ in }, undo))
    }
}

/// A mark between two steps. The steps after it are retried until they succeed, and are never undone; a cancel is
/// ignored. A workflow that begins with it, such as a delete, only goes forward.
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
    /// Whether the body of a remote step has something to do; nil if it always may have.
    var need: (@Sendable (W.State, W.Input) throws -> Bool)?
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
