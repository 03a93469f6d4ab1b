import Access
import CloudCore
import Durable

/// A workflow of servers: when it may start, which workflows may wait behind it, and its names in the API.
struct ServerWork: Sendable {
    /// The effect of a workflow on the workflows that wait behind it on the same server.
    enum Manner: Sendable, Equatable {
        /// Other workflows may wait behind it. It does not change the server's state.
        case keeps
        /// Other workflows may wait behind it. It leaves the server in the given state.
        case leaves(VMState)
        /// No workflow may wait behind it, because the server's next state is unknown until it ends.
        case alone
    }

    let type: any Workflow.Type
    /// Returns the workflow's code.
    let definition: @Sendable (ServerWorld) -> WorkflowDefinition
    let states: Set<VMState>
    let manner: Manner
    /// The reference's name of the event that stands for the work; nil for the name that follows from the rule's word.
    private let namedEvent: String?
    /// The reference's name of the instance action; nil for the rule's word.
    private let listedAs: String?
    private var heedsLock = true
    /// The conditions of its start; nil for a workflow that only the cloud itself starts.
    private(set) var rule: ServerRule?

    var kind: WorkflowKind { type.kind }
    /// The reference's name of the instance action.
    var action: String { listedAs ?? rule?.word ?? kind.name }
    /// The reference's name of the event that stands for the work.
    var event: String { namedEvent ?? rule.map { "compute_\($0.word)_instance" } ?? kind.name }

    /// - Parameters:
    ///   - states: the states in which the action is allowed.
    ///   - event: the name of the event, if it is not `compute_WORD_instance`.
    ///   - name: the name of the instance action, if it is not the word in error messages.
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

    /// Returns the work of a command to the machine.
    static func verb<Verb: ServerVerb>(_ verb: Verb.Type, from states: Set<VMState>) -> ServerWork {
        ServerWork(CommandServer<Verb>.self, from: states, manner: .leaves(Verb.command.result))
    }

    /// The same work for an action that is allowed on a locked server, too.
    var ignoringLock: ServerWork {
        var work = self
        work.heedsLock = false
        return work
    }

    /// Returns the same work with the rule of an action.
    ///
    /// - Parameter word: the action's name in error messages.
    func asked(as word: String, _ policy: Action) -> ServerWork {
        var work = self
        work.rule = ServerRule(word: word, policy: policy, states: states, heedsLock: heedsLock)
        return work
    }

    // MARK: The list

    /// All workflows of Compute: those in the table of actions, and those that have other URLs or none.
    static let all: [ServerWork] = ServerAction.all.flatMap(\.works) + [
        ServerWork(CreateServer.self, event: "compute__do_build_and_run_instance").asked(as: "create", .createServer),
        ServerWork(CreateServerWithVolumes.self, event: "compute__do_build_and_run_instance")
            .asked(as: "create", .createServer),
        ServerWork(AttachInterface.self, from: attachable, event: "compute_attach_interface", manner: .keeps)
            .asked(as: "attach_interface", .attachInterface),
        ServerWork(DetachInterface.self, from: attachable, event: "compute_detach_interface", manner: .keeps)
            .asked(as: "detach_interface", .detachInterface),
        ServerWork(AttachVolume.self, from: volumeAttachable, event: "compute_attach_volume", manner: .keeps)
            .asked(as: "attach_volume", .createVolumeAttachment),
        ServerWork(DetachVolume.self, from: volumeDetachable, event: "compute_detach_volume", manner: .keeps)
            .asked(as: "detach_volume", .deleteVolumeAttachment),
        ServerWork(
            ExtendServerVolume.self, event: "compute_extend_volume", listedAs: "extend_volume", manner: .keeps),
        ServerWork(SweepHost.self, manner: .keeps),
    ]

    private static let attachable: Set<VMState> = [.active, .paused, .stopped]
    private static let volumeAttachable: Set<VMState> = [
        .active, .paused, .stopped, .resized, .shelved, .shelvedOffloaded,
    ]
    private static let volumeDetachable = volumeAttachable.union([.suspended])
    private static let byKind = Dictionary(all.map { ($0.kind, $0) }) { first, _ in first }

    /// Returns the work of a kind; nil for a kind of a former release.
    static func of(_ kind: WorkflowKind) -> ServerWork? { byKind[kind] }

    static let types: [any Workflow.Type] = all.map(\.type)

    /// Returns the code of all workflows for one world.
    static func definitions(_ world: ServerWorld) -> [WorkflowDefinition] { all.map { $0.definition(world) } }

    static func manner(of kind: WorkflowKind) -> Manner { of(kind)?.manner ?? .alone }

    /// Returns the names of a kind's instance action and of its event.
    static func names(of kind: WorkflowKind) -> (action: String, event: String) {
        (of(kind)?.action ?? kind.name, of(kind)?.event ?? kind.name)
    }
}

extension Workflow where Needs == ServerWorld {
    /// The conditions of the workflow's start.
    ///
    /// - Throws: an internal error if no action starts the workflow.
    static var rule: ServerRule {
        get throws {
            guard let rule = ServerWork.of(kind)?.rule else {
                throw CloudError.internalError("the table of actions has no \(kind)")
            }
            return rule
        }
    }
}
