import CloudCore
import Durable
import HostModel

// 1 intend     (the verb's word)  the machine's generation is raised
// 2 carry-out  (the verb's word)  the host has carried out the verb
// 3 finish     (the verb's word)  the row has the new state

/// A command to a machine that a user gives by one word. The table of actions has the word, and the states in which the
/// command is allowed.
protocol ServerVerb: Sendable {
    static var kind: WorkflowKind { get }
    static var shows: ShownState { get }
    static var result: VMState { get }
    static var power: PowerNumber { get }
    /// Carries out the command on the machine.
    static func carryOut(on machine: ServerMachine) async throws
}

struct CommandServer<Verb: ServerVerb>: Workflow {
    struct Input: Codable, PlainServerInput { var serverID: ID<Kind.Server> }
    struct State: Codable, IntentState { var intent: Intent? }
    typealias Needs = ServerWorld
    static var kind: WorkflowKind { Verb.kind }
    static var version: Int { 1 }

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        Local("intend", shows: Verb.shows) { state, run, tx in
            let states = try rule.states.union([Verb.result])
            state.intent = try run.world.intend(run.input.serverID, from: states, in: tx)
        }
        Remote("carry-out", shows: Verb.shows, deadline: .seconds(300)) { state, run in
            try await Verb.carryOut(on: try run.machine(try state.wanted()))
        }
        Local("finish", shows: Verb.shows) { _, run, tx in
            try run.world.change(run.input.serverID, in: tx) { server in
                server.state = Verb.result
                server.power = Verb.power
            }
        }
    }
}

enum StartVerb: ServerVerb {
    static let kind: WorkflowKind = "compute.server.start"
    static let shows = ShownState.poweringOn
    static let result = VMState.active
    static let power = PowerNumber.running

    static func carryOut(on machine: ServerMachine) async throws { try await machine.setPower(.running) }
}

enum StopVerb: ServerVerb {
    static let kind: WorkflowKind = "compute.server.stop"
    static let shows = ShownState.poweringOff
    static let result = VMState.stopped
    static let power = PowerNumber.off

    static func carryOut(on machine: ServerMachine) async throws { try await machine.stop(graceSeconds: 60) }
}

enum SoftRebootVerb: ServerVerb {
    static let kind: WorkflowKind = "compute.server.reboot"
    static let shows = ShownState.rebooting
    static let result = VMState.active
    static let power = PowerNumber.running

    static func carryOut(on machine: ServerMachine) async throws { try await machine.reboot(.soft) }
}

enum HardRebootVerb: ServerVerb {
    static let kind: WorkflowKind = "compute.server.reboot-hard"
    static let shows = ShownState.rebootingHard
    static let result = VMState.active
    static let power = PowerNumber.running

    static func carryOut(on machine: ServerMachine) async throws { try await machine.reboot(.hard) }
}

enum PauseVerb: ServerVerb {
    static let kind: WorkflowKind = "compute.server.pause"
    static let shows = ShownState.pausing
    static let result = VMState.paused
    static let power = PowerNumber.paused

    static func carryOut(on machine: ServerMachine) async throws { try await machine.setPower(.paused) }
}

enum UnpauseVerb: ServerVerb {
    static let kind: WorkflowKind = "compute.server.unpause"
    static let shows = ShownState.unpausing
    static let result = VMState.active
    static let power = PowerNumber.running

    static func carryOut(on machine: ServerMachine) async throws { try await machine.setPower(.running) }
}

enum SuspendVerb: ServerVerb {
    static let kind: WorkflowKind = "compute.server.suspend"
    static let shows = ShownState.suspending
    static let result = VMState.suspended
    static let power = PowerNumber.off

    static func carryOut(on machine: ServerMachine) async throws { try await machine.setPower(.suspended) }
}

enum ResumeVerb: ServerVerb {
    static let kind: WorkflowKind = "compute.server.resume"
    static let shows = ShownState.resuming
    static let result = VMState.active
    static let power = PowerNumber.running

    static func carryOut(on machine: ServerMachine) async throws { try await machine.setPower(.running) }
}
