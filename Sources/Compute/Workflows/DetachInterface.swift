import CloudCore
import Durable

// 1 intend  the machine is wanted without the card
//   point of no return
// 2 detach  its machine has let go of it
// 3 forget  the port is gone, or free

struct DetachInterface: Workflow {
    struct Input: Codable, Sendable {
        var serverID: ID<Server>
        var portID: String
    }

    struct State: Codable, Sendable { var intent: Intent? }
    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.detach-interface"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        Local("intend") { state, run, tx in state.intent = try run.needs.intend(run.input.serverID, from: Server.attachable, in: tx) }
        PointOfNoReturn()
        Remote("detach", deadline: .seconds(300)) { state, run in
            guard let intent = state.intent else { return }
            try await run.needs.needs.machines.ensure(
                intent.order(without: run.input.portID), on: try intent.host, fence: intent.fence(run.epoch))
        }
        Local("forget") { _, run, tx in
            try run.needs.needs.networking.releasePort(run.input.portID, of: run.input.serverID.text, in: tx)
        }
    }
}
