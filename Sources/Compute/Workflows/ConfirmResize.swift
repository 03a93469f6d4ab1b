import CloudCore
import Durable

//   point of no return: the user has decided
// 1 intend   the machine's generation is raised; nothing else about it changes
// 2 leave    the source host has removed the machine
// 3 confirm  the old share is released, and the row has the state from before the resize

struct ConfirmResize: ServerWorkflow {
    struct Input: Codable, PlainServerInput { var serverID: ID<Kind.Server> }
    struct State: IntentState { var intent: Intent? }
    static let kind: WorkflowKind = "compute.server.confirm-resize"

    static var steps: Steps<Self> {
        PointOfNoReturn()
        Local("intend") { state, run, tx in
            try run.world.setMigration("confirming", of: run.input.serverID, in: tx)
            state.intent = try run.world.intend(run.input.serverID, in: tx)
        }
        // A server that stayed on its host has no other host.
        leaveHost("leave") { try $0.wanted().server.otherHost }
        Local("confirm") { _, run, tx in
            let id = run.input.serverID
            try run.world.placement.release(Server.formerConsumer(of: id), in: tx)
            try run.world.setMigration("confirmed", of: id, in: tx)
            try run.world.change(id, in: tx) { server in
                server.state = server.power == .off ? .stopped : .active
                (server.former, server.otherHost) = (nil, nil)
            }
        }
    }
}
