import CloudCore
import Durable

//   point of no return: whatever is found is removed
// 1 intend   (deleting)  the machine is wanted no more
// 2 remove   (deleting)  its machine
// 3 tidy     (deleting)  the image that it was shelved in
// 4 forget   (deleting)  its ports, its shares and its row; the archive has it

struct DeleteServer: Workflow {
    struct Input: Codable, Sendable { var serverID: ID<Kind.Server> }

    struct State: Codable, IntentState {
        /// Nil also where the row was gone before the delete began: then there is nothing to remove. Its last step makes sure of that.
        var intent: Intent?
    }

    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.delete"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        PointOfNoReturn()
        Local("intend", shows: .deleting) { state, run, tx in
            guard try run.world.servers.find(run.input.serverID, in: tx) != nil else { return }
            state.intent = try run.world.intend(run.input.serverID, in: tx)
        }
        tearDown("remove", shows: .deleting) { state, _ in
            [state.intent?.server.host, state.intent?.server.otherHost].compactMap(\.self)
        }
        Remote("tidy", shows: .deleting) { state, run in
            try await run.world.forgetShelvedImage(of: state.intent?.server, for: try run.requirePrincipal())
        }
        Local("forget", shows: .deleting) { state, run, tx in
            let id = run.input.serverID
            if let server = try run.world.servers.find(id, in: tx) {
                _ = try state.wanted()
                try run.world.servers.archive(server, at: run.world.now, in: tx)
            }
            try run.world.networking.releasePorts(of: id, in: tx)
            try run.world.placement.release(Server.consumer(of: id), in: tx)
            try run.world.placement.release(Server.formerConsumer(of: id), in: tx)
        }
    }
}
