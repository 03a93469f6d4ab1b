import CloudCore
import Durable

//   point of no return: the user has decided
// 1 intend  (resize_reverting)  the former size is wanted again
// 2 stop    (resize_reverting)  its machine is off
// 3 resize  (resize_reverting)  its machine has the former size; a disk that has grown stays as large
// 4 boot    (resize_reverting)  its machine runs, if it ran before the resize
// 5 finish  (resize_reverting)  the former share is the server's again

struct RevertResize: Workflow {
    struct Input: Codable, Sendable { var serverID: ID<Server> }
    struct State: Codable, Sendable {
        var intent: Intent?
        var former: Server.Former?
    }
    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.revert-resize"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        PointOfNoReturn()
        Local("intend", shows: .resizeReverting) { state, run, tx in
            let server = try run.needs.require(run.input.serverID, in: tx)
            state.former = server.former
            state.intent = try run.needs.intend(server.id, in: tx)
        }
        Remote("stop", shows: .resizeReverting, deadline: .seconds(300)) { state, run in
            guard let intent = state.intent else { return }
            try await run.needs.needs.machines.command(
                intent.server.id.text, .stop(graceSeconds: 60), on: try intent.host, fence: intent.fence(run.epoch))
        }
        Remote("resize", shows: .resizeReverting, deadline: .seconds(600)) { state, run in
            guard var intent = state.intent, let former = state.former else { return }
            intent.server.flavor = former.flavor.keepingDisk(of: intent.server.flavor)
            try await run.needs.needs.machines.ensure(intent.order(), on: try intent.host, fence: intent.fence(run.epoch))
        }
        Remote("boot", shows: .resizeReverting) { state, run in
            guard let intent = state.intent, state.former?.wasRunning == true else { return }
            try await run.needs.needs.machines.command(
                intent.server.id.text, .start, on: try intent.host, fence: intent.fence(run.epoch))
        }
        Local("finish", shows: .resizeReverting) { state, run, tx in
            let id = run.input.serverID
            guard let former = state.former, try run.needs.servers.find(id, in: tx) != nil else { return }
            try run.needs.needs.placement.release(id.text, in: tx)
            try run.needs.needs.placement.move(from: ResizeServer.formerConsumer(of: id), to: id.text, type: "INSTANCE", in: tx)
            try MigrationStore().setStatus("reverted", ofServer: id, at: run.needs.world.now, in: tx)
            try run.needs.change(id, in: tx) { server in
                server.flavor = former.flavor
                server.former = nil
                server.state = former.wasRunning ? .active : .stopped
                server.power = former.wasRunning ? .running : .off
            }
        }
    }
}
