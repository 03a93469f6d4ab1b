import CloudCore
import Durable

//   point of no return: the user has decided
// 1 confirm  the old share is given back, and the row says what it was before

struct ConfirmResize: Workflow {
    struct Input: Codable, Sendable { var serverID: ID<Server> }
    struct State: Codable, Sendable {}
    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.confirm-resize"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        PointOfNoReturn()
        Local("confirm") { _, run, tx in
            let id = run.input.serverID
            try run.needs.needs.placement.release(ResizeServer.formerConsumer(of: id), in: tx)
            try MigrationStore().setStatus("confirmed", ofServer: id, at: run.needs.world.now, in: tx)
            try run.needs.change(id, in: tx) { server in
                server.state = server.power == .off ? .stopped : .active
                server.former = nil
            }
        }
    }
}
