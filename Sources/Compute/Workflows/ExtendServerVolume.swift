import CloudCore
import Durable
import HostModel
import SQL

// A volume of a server has grown. Block Storage and the host have done the work; this is the action of the server by
// which the user sees that the guest has the new size.
//
// 1 look  whether the server has the volume; a server without it has nothing to wait for
// 2 see   the volume's host shows the guest the new size

struct ExtendServerVolume: ServerWorkflow {
    struct Input: Codable, ServerInput {
        var serverID: ID<Kind.Server>
        var volumeID: ID<Kind.Volume>
    }

    struct State: WorkflowState { var hasVolume: Bool? }
    static let kind: WorkflowKind = "compute.server.extend-volume"

    static var steps: Steps<Self> {
        Local("look") { state, run, tx in
            let found = try run.world.serverVolumes.find(run.input.volumeID, of: run.input.serverID, in: tx)
            state.hasVolume = found != nil
        }
        Remote("see", deadline: .seconds(300)) { state, run in
            guard try state.hasVolume.required("hasVolume", from: "look") else { return }
            try await run.world.volumes.awaitGrown(run.input.volumeID)
        }
    }

    /// Begins the action on one server. It waits its turn behind the others. If no further one may wait, because too
    /// many do or the server is being deleted, there is no action: the volume has grown all the same.
    static func begin(
        _ growth: VolumeGrowth, on server: ID<Kind.Server>, by workflows: Workflows, in tx: Transaction
    ) throws {
        do {
            try workflows.start(
                Self.self, .init(serverID: server, volumeID: growth.volume), on: Server.resource(server),
                as: growth.principal,
                options: .init(requestID: growth.requestID, whenBusy: .wait(most: ServerTurn.mostWaiting)), in: tx)
        } catch let error as CloudError where error.kind == .conflict { return }
    }
}
