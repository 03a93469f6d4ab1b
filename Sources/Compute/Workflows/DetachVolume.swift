import CloudCore
import Durable

//   undone  the server keeps the volume
// 1 intend  the machine's generation is raised
// 2 detach  the guest has let go of the disk
//   point of no return: a host does not take back an attachment that it has ended
// 3 disconnect  the host lets the machine use the volume no more
// 4 forget  the volume is free
//
// A guest that does not answer keeps its disk: the volume must not be written by two.

struct DetachVolume: ServerWorkflow {
    struct Input: Codable, ServerInput {
        var volume: ServerVolume

        var serverID: ID<Kind.Server> { volume.serverID }
    }

    struct State: IntentState { var intent: Intent? }
    static let kind: WorkflowKind = "compute.server.detach-volume"

    static var steps: Steps<Self> {
        WhenUndone("accept") { _, run, tx in try run.world.volumes.keep(run.input.volume.attachmentID, in: tx) }
        Local("intend") { state, run, tx in
            state.intent = try run.world.intend(run.input.serverID, from: rule.states, in: tx).without(run.input.volume)
        }
        Remote("detach", deadline: .seconds(300)) { state, run in
            let intent = try state.wanted()
            guard intent.server.host != nil else { return }
            try await run.machine(intent).ensure()
        } undo: { state, run in
            try await run.machineToUndo(try state.wanted().with(run.input.volume))?.ensure()
        }
        PointOfNoReturn()
        Remote("disconnect") { state, run in
            let intent = try state.wanted()
            guard intent.server.host != nil else { return }
            try await run.machine(intent).disconnect(run.input.volume)
        }
        Local("forget") { _, run, tx in try run.world.release(run.input.volume, in: tx) }
    }
}
