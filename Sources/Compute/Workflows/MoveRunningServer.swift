import CloudCore
import Durable
import HostModel

// The guest is moved to another host without being told.
//
// 1 accept       (migrating)  a migration is recorded; the undo sets it to error
// 2 look-around  (migrating)  the best hosts for the server are known
// 3 claim        (migrating)  the migration holds the old share, the server the new one
//   undone       (migrating)  the guest runs again on the source host
// 4 rebind       (migrating)  the ports are bound to the destination
// 5 wire         (migrating)  the destination has the ports and their rules
// 6 move         (migrating)  the machine is on the destination, in the power state that it had
//   point of no return: the guest runs on the destination
// 7 arrive       (migrating)  the row names the destination, and the old share is released
// 8 leave        (migrating)  the source host has removed the machine
// 9 finish       (migrating)  the migration is complete

struct MoveRunningServer: MovingWorkflow {
    struct Input: Codable, MoveInput {
        var serverID: ID<Kind.Server>
        var migrationID: String
        /// The destination that an administrator asked for; nil to let the scheduler choose.
        var host: String?
    }

    typealias State = SameSizeState
    static let kind: WorkflowKind = "compute.server.live-migrate"
    static let shows = ShownState.migrating
    static let terms = MoveTerms(kind: .live, accepted: "queued", claimed: "preparing") { .init(source: $0, isLive: true) }

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
            try await run.machine(try state.wanted(), on: try state.requireDestination()).leave()
        }
        PointOfNoReturn()
        Local("arrive", shows: shows) { state, run, tx in
            let (id, destination) = (run.input.serverID, try state.requireDestination())
            try run.world.placement.release(holder(run.input), in: tx)
            try run.world.setMigration("post-migrating", of: id, in: tx)
            try run.world.change(id, in: tx) { ($0.host, $0.otherHost) = (destination, $0.host) }
        }
        leaveHost("leave", shows: shows) { try $0.wanted().host }
        Local("finish", shows: shows) { _, run, tx in
            try run.world.setMigration("completed", of: run.input.serverID, in: tx)
            try run.world.change(run.input.serverID, in: tx) { $0.otherHost = nil }
        }
    }
}
