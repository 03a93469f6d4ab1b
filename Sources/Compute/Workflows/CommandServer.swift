import CloudCore
import Durable
import HostModel

// 1 intend     (the verb's word)  the machine's generation is raised
// 2 carry-out  (the verb's word)  the host has carried out the verb
// 3 finish     (the verb's word)  the row has the new state

/// A command to a machine.
struct ServerCommand: Sendable {
    let kind: WorkflowKind
    let shows: ShownState
    /// The state of the server that has obeyed, and the power of its machine.
    var result = VMState.active
    var power = PowerNumber.running
    let carryOut: @Sendable (ServerMachine) async throws -> Void
}

/// A command that a user gives by one word. The table of actions has the word, and the states in which the command is
/// allowed.
protocol ServerVerb: Sendable {
    static var command: ServerCommand { get }
}

struct CommandServer<Verb: ServerVerb>: ServerWorkflow {
    struct Input: Codable, PlainServerInput { var serverID: ID<Kind.Server> }
    struct State: IntentState { var intent: Intent? }
    static var kind: WorkflowKind { Verb.command.kind }

    static var steps: Steps<Self> {
        Local("intend", shows: Verb.command.shows) { state, run, tx in
            let states = try rule.states.union([Verb.command.result])
            state.intent = try run.world.intend(run.input.serverID, from: states, in: tx)
        }
        Remote("carry-out", shows: Verb.command.shows, deadline: .seconds(300)) { state, run in
            try await Verb.command.carryOut(try run.machine(try state.wanted()))
        }
        Local("finish", shows: Verb.command.shows) { _, run, tx in
            try run.world.change(run.input.serverID, in: tx) { server in
                (server.state, server.power) = (Verb.command.result, Verb.command.power)
            }
        }
    }
}

enum StartVerb: ServerVerb {
    static let command = ServerCommand(kind: "compute.server.start", shows: .poweringOn) {
        try await $0.setPower(.running)
    }
}

enum StopVerb: ServerVerb {
    static let command = ServerCommand(
        kind: "compute.server.stop", shows: .poweringOff, result: .stopped, power: .off
    ) {
        try await $0.stop(graceSeconds: 60)
    }
}

enum SoftRebootVerb: ServerVerb {
    static let command = ServerCommand(kind: "compute.server.reboot", shows: .rebooting) {
        try await $0.reboot(.soft)
    }
}

enum HardRebootVerb: ServerVerb {
    static let command = ServerCommand(kind: "compute.server.reboot-hard", shows: .rebootingHard) {
        try await $0.reboot(.hard)
    }
}

enum PauseVerb: ServerVerb {
    static let command = ServerCommand(kind: "compute.server.pause", shows: .pausing, result: .paused, power: .paused) {
        try await $0.setPower(.paused)
    }
}

enum UnpauseVerb: ServerVerb {
    static let command = ServerCommand(kind: "compute.server.unpause", shows: .unpausing) {
        try await $0.setPower(.running)
    }
}

enum SuspendVerb: ServerVerb {
    static let command = ServerCommand(
        kind: "compute.server.suspend", shows: .suspending, result: .suspended, power: .off
    ) {
        try await $0.setPower(.suspended)
    }
}

enum ResumeVerb: ServerVerb {
    static let command = ServerCommand(kind: "compute.server.resume", shows: .resuming) {
        try await $0.setPower(.running)
    }
}
