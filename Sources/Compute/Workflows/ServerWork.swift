import Access
import CloudCore
import Durable

/// A workflow of servers: when it is taken, how it gets along with others, and its names in the API.
struct ServerWork: Sendable {
    /// How a workflow gets along with others on the same server.
    enum Manner: Sendable, Equatable {
        /// Others may wait behind it. It leaves the server in the state it finds it in.
        case keeps
        /// Others may wait behind it. It leaves the server in this state.
        case leaves(VMState)
        /// Nothing may wait behind it: the server's next state is not known before its end.
        case alone
    }

    let type: any Workflow.Type
    /// Makes the workflow's code.
    let definition: @Sendable (ServerWorld) -> WorkflowDefinition
    let states: Set<VMState>
    let manner: Manner
    /// The name of the event that stands for the work, in the reference's words. Nil: it follows from the rule's word.
    private let namedEvent: String?
    /// The name of the instance action, in the reference's words; nil for the rule's word.
    private let listedAs: String?
    private var heedsLock = true
    /// What is asked before it is started; nil for work that the cloud does by itself.
    private(set) var rule: ServerRule?

    var kind: WorkflowKind { type.kind }
    /// The name of the instance action, in the reference's words.
    var action: String { listedAs ?? rule?.word ?? kind.name }
    /// The name of the event that stands for the work, in the reference's words.
    var event: String { namedEvent ?? rule.map { "compute_\($0.word)_instance" } ?? kind.name }

    /// - Parameters:
    ///   - states: the states in which it is taken.
    ///   - event: the name of the event, where it is not `compute_WORD_instance`.
    ///   - name: the name of the instance action, where it is not the word of refusals.
    init<W: Workflow>(
        _ type: W.Type, from states: Set<VMState> = ServerRule.everyState, event: String? = nil, listedAs name: String? = nil,
        manner: Manner = .alone
    ) where W.Needs == ServerWorld {
        self.type = type
        definition = { WorkflowDefinition(type, needs: $0) }
        self.states = states
        self.manner = manner
        namedEvent = event
        listedAs = name
    }

    /// Returns the work of an order to the machine.
    static func verb<Verb: ServerVerb>(_ verb: Verb.Type, from states: Set<VMState>) -> ServerWork {
        ServerWork(CommandServer<Verb>.self, from: states, manner: .leaves(Verb.result))
    }

    /// Returns the same for an action that a locked server takes, too.
    var ignoringLock: ServerWork {
        var work = self
        work.heedsLock = false
        return work
    }

    /// Returns the same as the work of an action.
    ///
    /// - Parameter word: the action's name in refusals.
    func asked(as word: String, _ policy: Action) -> ServerWork {
        var work = self
        work.rule = ServerRule(word: word, policy: policy, states: states, heedsLock: heedsLock)
        return work
    }

    // MARK: The list

    /// All of Compute's workflows: those of the table of actions, and those that have other URLs or none.
    static let all: [ServerWork] = ServerAction.all.flatMap(\.works) + [
        ServerWork(CreateServer.self, event: "compute__do_build_and_run_instance").asked(as: "create", .createServer),
        ServerWork(AttachInterface.self, from: attachable, event: "compute_attach_interface", manner: .keeps)
            .asked(as: "attach_interface", .attachInterface),
        ServerWork(DetachInterface.self, from: attachable, event: "compute_detach_interface", manner: .keeps)
            .asked(as: "detach_interface", .detachInterface),
        ServerWork(SweepHost.self, manner: .keeps),
    ]

    private static let attachable: Set<VMState> = [.active, .paused, .stopped]
    private static let byKind = Dictionary(all.map { ($0.kind, $0) }) { first, _ in first }

    /// Returns the workflow of a kind; nil for a kind of a former release.
    static func of(_ kind: WorkflowKind) -> ServerWork? { byKind[kind] }

    static let types: [any Workflow.Type] = all.map(\.type)

    /// Returns the code of all workflows.
    static func definitions(_ world: ServerWorld) -> [WorkflowDefinition] { all.map { $0.definition(world) } }

    static func manner(of kind: WorkflowKind) -> Manner { of(kind)?.manner ?? .alone }

    /// Returns the instance action of a kind, and its event.
    static func names(of kind: WorkflowKind) -> (action: String, event: String) {
        (of(kind)?.action ?? kind.name, of(kind)?.event ?? kind.name)
    }
}

extension Workflow where Needs == ServerWorld {
    /// What is asked before it is started.
    ///
    /// - Throws: an internal error for a workflow that no action starts.
    static var rule: ServerRule {
        get throws {
            guard let rule = ServerWork.of(kind)?.rule else {
                throw CloudError.internalError("the table of actions has no \(kind)")
            }
            return rule
        }
    }
}
