import CloudCore
import Durable

//   point of no return: whatever is found is removed
// 1 intend   (deleting)  the machine is wanted no more
// 2 remove   (deleting)  its machine
// 3 tidy     (deleting)  the image that it was shelved in
// 4 forget   (deleting)  its ports, its shares and its row; the archive has it

struct DeleteServer: Workflow {
    struct Input: Codable, Sendable { var serverID: ID<Server> }
    struct State: Codable, Sendable { var intent: Intent? }
    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.delete"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        PointOfNoReturn()
        Local("intend", shows: .deleting) { state, run, tx in
            if try run.needs.servers.find(run.input.serverID, in: tx) != nil {
                state.intent = try run.needs.intend(run.input.serverID, in: tx)
            }
        }
        Remote("remove", shows: .deleting, deadline: .seconds(600)) { state, run in
            guard let intent = state.intent else { return }
            for host in [intent.server.host, intent.server.otherHost].compactMap(\.self) {
                try await run.needs.needs.machines.remove(intent.server.id.text, on: host, fence: intent.fence(run.epoch))
            }
        }
        Remote("tidy", shows: .deleting) { state, run in
            try await run.needs.forgetShelvedImage(of: state.intent?.server, for: run.principal)
        }
        Local("forget", shows: .deleting) { _, run, tx in
            let id = run.input.serverID
            try run.needs.needs.networking.releasePorts(of: id.text, in: tx)
            try run.needs.needs.placement.release(id.text, in: tx)
            try run.needs.needs.placement.release(Server.formerConsumer(of: id), in: tx)
            guard let server = try run.needs.servers.find(id, in: tx) else { return }
            try run.needs.servers.archive(server, at: run.needs.world.now, in: tx)
        }
    }
}
