import CloudCore
import Durable

//   undone  the volume is free again
// 1 intend  the machine's generation is raised
// 2 attach  the machine has the disk, if the server has a host
// 3 finish  the volume is in use, also if the server has no host, as in the reference

struct AttachVolume: ServerWorkflow {
    /// The volume, which the request has reserved.
    struct Input: Codable, ServerInput {
        var volume: ServerVolume

        var serverID: ID<Kind.Server> { volume.serverID }
    }

    struct State: IntentState { var intent: Intent? }
    static let kind: WorkflowKind = "compute.server.attach-volume"

    static var steps: Steps<Self> {
        WhenUndone("accept") { _, run, tx in try run.world.release(run.input.volume, in: tx) }
        Local("intend") { state, run, tx in
            state.intent = try run.world.intend(run.input.serverID, from: rule.states, in: tx)
        }
        Remote("attach", deadline: .seconds(300)) { state, run in
            let intent = try state.wanted()
            // A server that was shelved and has left its host gets the disk when it is unshelved.
            guard intent.server.host != nil else { return }
            try await run.machine(intent).ensure()
        } undo: { state, run in
            guard let machine = run.machineToUndo(try state.wanted().without(run.input.volume)) else { return }
            try await machine.ensure()
            try await machine.disconnect(run.input.volume)
        }
        Local("finish") { _, run, tx in try run.world.volumes.complete(run.input.volume.attachmentID, in: tx) }
    }
}
