import CloudCore
import Durable
import HostModel

// The guest goes on without hearing of it.
//
// 1 accept       (migrating)  a migration is written down; undone, it has failed
// 2 look-around  (migrating)  where it would fit
// 3 claim        (migrating)  the old share becomes the migration's, the new one the server's
//   undone       (migrating)  the guest goes on where it was
// 4 rebind       (migrating)  its ports are bound to the host where it goes
// 5 wire         (migrating)  that host has the ports, and the rules that hold for them
// 6 move         (migrating)  its machine is there, and does what it did
//   point of no return: the guest goes on there
// 7 arrive       (migrating)  the row says where it is, the old share is given back
// 8 leave        (migrating)  the host that it comes from has nothing of it
// 9 finish       (migrating)  the migration is complete

struct MoveRunningServer: MovingWorkflow {
    struct Input: Codable, MoveInput {
        var serverID: ID<Kind.Server>
        var migrationID: String
        /// The host that an administrator asked for.
        var host: String?
    }

    typealias State = SameSizeState
    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.live-migrate"
    static let version = 1
    static let shows = ShownState.migrating
    static let terms = MoveTerms(kind: .live, accepted: "queued", claimed: "preparing") { .init(source: $0, isLive: true) }

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        accept()
        lookAround()
        claim()
        WhenUndone("hold", shows: shows) { state, run in
            let intent = try state.wanted()
            try await run.machineToUndo(intent)?.goOn(intent.server.state == .paused ? .paused : .running)
        }
        rebind(shows: shows, to: { try $0.requireDestination() }, undo: { try $0.wanted().host }, migration: "running")
        wire(shows: shows) { try $0.requireDestination() }
        Remote("move", shows: shows, deadline: .seconds(3600)) { state, run in
            try await run.machine(try state.wanted()).move(to: try state.requireDestination(), isLive: true)
        } undo: { state, run in
            try await run.machine(try state.wanted(), on: try state.requireDestination()).remove()
        }
        PointOfNoReturn()
        Local("arrive", shows: shows) { state, run, tx in
            let (id, destination) = (run.input.serverID, try state.requireDestination())
            try run.world.placement.release(holder(run.input), in: tx)
            try run.world.setMigration("post-migrating", of: id, in: tx)
            try run.world.change(id, in: tx) { ($0.host, $0.otherHost) = (destination, $0.host) }
        }
        tearDown("leave", shows: shows) { state, _ in [try state.wanted().host] }
        Local("finish", shows: shows) { _, run, tx in
            try run.world.setMigration("completed", of: run.input.serverID, in: tx)
            try run.world.change(run.input.serverID, in: tx) { $0.otherHost = nil }
        }
    }
}
