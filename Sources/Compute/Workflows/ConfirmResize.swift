import CloudCore
import Durable

//   point of no return: the user has decided
// 1 intend   nothing else is wanted of the machine, but by a newer number
// 2 leave    the host that it comes from has nothing of it
// 3 confirm  the old share is given back, and the row says what it was before

struct ConfirmResize: Workflow {
    struct Input: Codable, Sendable { var serverID: ID<Server> }
    struct State: Codable, Sendable { var intent: Intent? }
    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.confirm-resize"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        PointOfNoReturn()
        Local("intend") { state, run, tx in
            try MigrationStore().setStatus("confirming", ofServer: run.input.serverID, at: run.needs.world.now, in: tx)
            state.intent = try run.needs.intend(run.input.serverID, in: tx)
        }
        Remote("leave", deadline: .seconds(600)) { state, run in
            guard let intent = state.intent, let other = intent.server.otherHost else { return }
            try await run.needs.needs.machines.remove(intent.server.id.text, on: other, fence: intent.fence(run.epoch))
        }
        Local("confirm") { _, run, tx in
            let id = run.input.serverID
            try run.needs.needs.placement.release(Server.formerConsumer(of: id), in: tx)
            try MigrationStore().setStatus("confirmed", ofServer: id, at: run.needs.world.now, in: tx)
            try run.needs.change(id, in: tx) { server in
                server.state = server.power == .off ? .stopped : .active
                (server.former, server.otherHost) = (nil, nil)
            }
        }
    }
}
