import CloudCore
import Durable

//   point of no return: everything that is found is removed
// 1 intend   (deleting)  the machine's generation is raised
// 2 remove   (deleting)  the hosts have removed the machine
// 3 tidy     (deleting)  the image of a shelved server is deleted
// 4 forget   (deleting)  the ports, volumes and shares are released, and the row is moved to the archive

struct DeleteServer: ServerWorkflow {
    struct Input: Codable, Sendable { var serverID: ID<Kind.Server> }

    struct State: IntentState {
        /// The machine to remove. It is also nil if the row was gone before the workflow began; then there is nothing
        /// to remove, and the last step checks that.
        var intent: Intent?
    }

    static let kind: WorkflowKind = "compute.server.delete"

    static var steps: Steps<Self> {
        PointOfNoReturn()
        Local("intend", shows: .deleting) { state, run, tx in
            guard try run.world.servers.find(run.input.serverID, in: tx) != nil else { return }
            state.intent = try run.world.intend(run.input.serverID, in: tx)
        }
        tearDown("remove", shows: .deleting) { state, _ in
            [state.intent?.server.host, state.intent?.server.otherHost].compactMap(\.self)
        }
        Remote<Self>("tidy", shows: .deleting) { state, run in
            try await run.world.forgetShelvedImage(of: state.intent?.server, for: try run.requirePrincipal())
        }.needed { state, _ in state.intent?.server.shelvedImage != nil }
        Local("forget", shows: .deleting) { state, run, tx in
            let id = run.input.serverID
            if let server = try run.world.servers.find(id, in: tx) {
                _ = try state.wanted()
                try run.world.servers.archive(server, at: run.world.now, in: tx)
            }
            for volume in try run.world.releaseVolumes(of: id, in: tx) where volume.isDeletedWithServer {
                try run.world.volumes.delete(volume.volumeID, for: run.principal, in: tx)
            }
            try run.world.networking.releasePorts(of: id, in: tx)
            try run.world.placement.release(Server.consumer(of: id), in: tx)
            try run.world.placement.release(Server.formerConsumer(of: id), in: tx)
        }
    }
}
