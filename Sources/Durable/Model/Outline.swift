import CloudCore

/// The description of a workflow's steps without their code: all that planning needs.
package struct Outline: Sendable, Equatable {
    package struct Key: Hashable, Sendable, CustomStringConvertible {
        package let kind: WorkflowKind
        package let version: Int
        package var description: String { "\(kind) version \(version)" }
    }

    package let key: Key
    package let steps: [StepOutline]
    /// The most workflows of the kind at a time in one process; see `Workflow.mostAtOnce`.
    package let mostAtOnce: Int?
    private let pivots: Int

    package init<W: Workflow>(_ workflow: W.Type) {
        self.init(workflow, W.steps)
    }

    init<W: Workflow>(_: W.Type, _ list: Steps<W>) {
        key = Key(kind: W.kind, version: W.version)
        steps = list.steps.map(\.outline)
        mostAtOnce = W.mostAtOnce
        pivots = list.pivots
    }

    /// Whether the whole workflow has an undo, which takes back what was made together with the start.
    var undoesStart: Bool { steps.first?.isUndoOnly ?? false }

    /// The step that the workflow begins with; nil if there is none.
    var first: StepOutline? { index(after: -1).map { steps[$0] } }

    package func index(of step: String) -> Int? { steps.firstIndex { $0.name == step } }

    /// Returns the index of the next step on the way forward; nil at the end. Undos without a step are passed over.
    package func index(after index: Int) -> Int? { steps.indices.first { $0 > index && !steps[$0].isUndoOnly } }

    /// The names of the steps in order, each with its nature. It is readable text and no hash: if the steps of a row
    /// differ from those of this binary, an operator sees at once how.
    package var fingerprint: String {
        var words: [String] = []
        for (at, step) in steps.enumerated() {
            if step.isPastReturn, at == 0 || !steps[at - 1].isPastReturn { words.append("|") }
            words.append(step.nature.letter + ":" + step.name)
        }
        return words.joined(separator: " ")
    }

    /// Returns the word that the user sees during a step: the step's own or, if it has none, the last one of an earlier
    /// step.
    package func shows(during step: String) -> ShownState? {
        guard let at = index(of: step) else { return nil }
        return steps[...at].last { $0.shows != nil }?.shows
    }

    /// The mistakes in the declaration, in words for its author; empty if there are none.
    package var problems: [String] {
        var found: [String] = []
        if first == nil { found.append("has no steps") }
        if key.version < 1 { found.append("has version \(key.version), and versions count from 1") }
        if pivots > 1 { found.append("has more than one point of no return") }
        let names = steps.map(\.name)
        for name in Set(names).sorted() where names.count(where: { $0 == name }) > 1 {
            found.append("has two steps named '\(name)'")
        }
        for step in steps where step.isPastReturn && step.hasUndo {
            found.append("has an undo for '\(step.name)', which is past the point of no return")
        }
        // A local step that fails is rolled back, so its undo serves only failures of later steps. The same holds for
        // an undo without a step.
        if let last = steps.last(where: { !$0.isPastReturn }), last.nature == .local || last.isUndoOnly, last.hasUndo {
            found.append("has an undo for '\(last.name)', after which nothing is undone")
        }
        return found
    }
}

/// One step without its code.
package struct StepOutline: Sendable, Equatable {
    package enum Nature: Sendable, Equatable {
        case local
        case remote(deadline: Duration)
        case wait(WaitTerms)

        var letter: String {
            switch self {
            case .local: "local"
            case .remote: "remote"
            case .wait: "wait"
            }
        }
    }

    package let name: String
    package let nature: Nature
    package var hasUndo = false
    package let shows: ShownState?
    package var retry = Retry.standard
    package var isPastReturn = false
    /// Whether the entry is an undo without a step (`WhenUndone`).
    package var isUndoOnly = false

    package var isRemote: Bool { if case .remote = nature { true } else { false } }
    package var waits: WaitTerms? { if case .wait(let terms) = nature { terms } else { nil } }
}

/// The event or the time that a waiting step waits for.
package struct WaitTerms: Sendable, Equatable {
    /// The effect of a timeout. Past the point of no return, a wait that should fail starts again.
    package enum Timeout: Sendable, Equatable {
        case fail, proceed
    }

    /// The awaited signal; nil if the step waits for time alone.
    package let signal: SignalName?
    package let timeout: Duration
    package let onTimeout: Timeout
}
