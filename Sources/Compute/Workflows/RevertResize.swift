import CloudCore
import Durable

//   point of no return: the user has decided
// 1 intend  (resize_reverting)  the former size and host are noted, and the machine's generation is raised
// 2 stop    (resize_reverting)  the machine is off
// 3 leave   (resize_reverting)  the host that the server had moved to has removed the machine
// 4 rebind  (resize_reverting)  the ports are bound to the host from before the resize
// 5 wire    (resize_reverting)  that host has the ports and their rules
// 6 resize  (resize_reverting)  the machine has its former size; on the same host, a disk that has grown keeps its size
// 7 boot    (resize_reverting)  the machine runs, if it ran before the resize
// 8 finish  (resize_reverting)  the server holds its former share again

struct RevertResize: ServerWorkflow {
    struct Input: Codable, PlainServerInput { var serverID: ID<Kind.Server> }
    struct State: IntentState {
        var intent: Intent?
        var former: Server.Former?

        func requireFormer() throws -> Server.Former { try former.required("former", from: "intend") }

        /// Returns whether the server had moved to another host. The disk on the former host has not changed since.
        func hasMoved() throws -> Bool { try requireFormer().host != wanted().server.host }
    }

    static let kind: WorkflowKind = "compute.server.revert-resize"

    static var steps: Steps<Self> {
        PointOfNoReturn()
        Local("intend", shows: .resizeReverting) { state, run, tx in
            let server = try run.world.require(run.input.serverID, in: tx)
            state.former = server.former
            try run.world.setMigration("reverting", of: server.id, in: tx)
            state.intent = try run.world.intend(server.id, in: tx)
        }
        stopForGood("stop", shows: .resizeReverting, graceSeconds: 60)
        leaveHost("leave", shows: .resizeReverting) { try $0.hasMoved() ? try $0.wanted().host : nil }
        rebind(shows: .resizeReverting, to: { try $0.requireFormer().host })
        wire(shows: .resizeReverting) { try $0.requireFormer().host }
        Remote("resize", shows: .resizeReverting, deadline: .seconds(600)) { state, run in
            let former = try state.requireFormer()
            var intent = try state.wanted()
            intent.server.flavor = try state.hasMoved() ? former.flavor : former.flavor.keepingDisk(of: intent.server.flavor)
            try await run.machine(intent, on: former.host).ensure()
        }
        boot(shows: .resizeReverting, on: { state, _ in
            let former = try state.requireFormer()
            return former.wasRunning ? former.host : nil
        })
        Local("finish", shows: .resizeReverting) { state, run, tx in
            let (id, former) = (run.input.serverID, try state.requireFormer())
            let consumer = Server.consumer(of: id)
            try run.world.placement.release(consumer, in: tx)
            try run.world.placement.move(from: Server.formerConsumer(of: id), to: consumer, type: "INSTANCE", in: tx)
            try run.world.setMigration("reverted", of: id, in: tx)
            try run.world.change(id, in: tx) { server in
                (server.host, server.otherHost) = (former.host, nil)
                (server.flavor, server.former) = (former.flavor, nil)
                (server.state, server.power) = former.wasRunning ? (.active, .running) : (.stopped, .off)
            }
        }
    }
}
