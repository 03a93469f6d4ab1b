import CloudCore
import Durable

//   point of no return: the user has decided
// 1 intend  (resize_reverting)  the former size is wanted again
// 2 stop    (resize_reverting)  its machine is off
// 3 leave   (resize_reverting)  a host that it had gone to has nothing of it
// 4 rebind  (resize_reverting)  its ports are bound to the host that it came from
// 5 wire    (resize_reverting)  that host has the ports, and the rules that hold for them
// 6 resize  (resize_reverting)  its machine has the former size; a disk that has grown on the same host stays as large
// 7 boot    (resize_reverting)  its machine runs, if it ran before the resize
// 8 finish  (resize_reverting)  the former share is the server's again

struct RevertResize: Workflow {
    struct Input: Codable, ServerInput { var serverID: ID<Server> }
    struct State: Codable, Sendable {
        var intent: Intent?
        var former: Server.Former?

        /// Whether it had gone to another host. The disk that stayed behind is as it was then.
        var hasMoved: Bool { former?.host != intent?.server.host }
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
            try MigrationStore().setStatus("reverting", ofServer: server.id, at: run.needs.world.now, in: tx)
            state.intent = try run.needs.intend(server.id, in: tx)
        }
        Remote("stop", shows: .resizeReverting, deadline: .seconds(300)) { state, run in
            guard let intent = state.intent else { return }
            try await run.needs.stop(intent, graceSeconds: 60, run.epoch)
        }
        Remote("leave", shows: .resizeReverting, deadline: .seconds(600)) { state, run in
            guard let intent = state.intent, state.hasMoved else { return }
            try await run.needs.needs.machines.remove(intent.server.id.text, on: try intent.host, fence: intent.fence(run.epoch))
        }
        rebind(shows: .resizeReverting, to: \.former?.host)
        wire(shows: .resizeReverting, on: \.former?.host)
        Remote("resize", shows: .resizeReverting, deadline: .seconds(600)) { state, run in
            guard var intent = state.intent, let former = state.former else { return }
            intent.server.flavor = state.hasMoved ? former.flavor : former.flavor.keepingDisk(of: intent.server.flavor)
            try await run.needs.needs.machines.ensure(intent.order(), on: former.host, fence: intent.fence(run.epoch))
        }
        Remote("boot", shows: .resizeReverting) { state, run in
            guard let intent = state.intent, let former = state.former, former.wasRunning else { return }
            try await run.needs.command(.start, intent, on: former.host, run.epoch)
        }
        Local("finish", shows: .resizeReverting) { state, run, tx in
            let id = run.input.serverID
            guard let former = state.former, try run.needs.servers.find(id, in: tx) != nil else { return }
            try run.needs.needs.placement.release(id.text, in: tx)
            try run.needs.needs.placement.move(from: Server.formerConsumer(of: id), to: id.text, type: "INSTANCE", in: tx)
            try MigrationStore().setStatus("reverted", ofServer: id, at: run.needs.world.now, in: tx)
            try run.needs.change(id, in: tx) { server in
                (server.host, server.otherHost) = (former.host, nil)
                server.flavor = former.flavor
                server.former = nil
                server.state = former.wasRunning ? .active : .stopped
                server.power = former.wasRunning ? .running : .off
            }
        }
    }
}
