import CloudCore
import Durable
import HostModel

// Its host is gone, so the server is made anew from its image; what was on its disk is lost with the host.
//
// 1 accept       (rebuilding)        a migration is written down; undone, it has failed
// 2 look-around  (rebuilding)        where it would fit
// 3 claim        (rebuilding)        the old share becomes the migration's, the new one the server's
// 4 rebind       (rebuilding)        its ports are bound to the host where it goes
// 5 wire         (rebuilding)        that host has the ports, and the rules that hold for them
// 6 build        (rebuild_spawning)  its machine is there, off
// 7 boot         (rebuild_spawning)  its machine runs, if it is to
// 8 finish       (rebuild_spawning)  the row says where it is
//
// What the lost host still has is removed when it is back (`SweepHost`).

struct EvacuateServer: MovingWorkflow {
    struct Input: Codable, MoveInput {
        var serverID: ID<Kind.Server>
        var migrationID: String
        /// The host that an administrator asked for.
        var host: String?
        var startsAfter: Bool
    }

    typealias State = SameSizeState
    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.evacuate"
    static let version = 1
    static let shows = ShownState.rebuilding
    static let terms = MoveTerms(kind: .evacuation, accepted: "accepted") { .init(source: $0, isHandedOver: false) }

    static func start(_ input: Input) -> State { State() }

    /// The lost host keeps its share, in the migration's name, until it is swept.
    static func holder(_ input: Input) -> ID<Kind.Consumer> { ID(input.migrationID) }

    static var steps: Steps<Self> {
        accept()
        lookAround()
        claim()
        rebind(shows: shows, to: { try $0.requireDestination() }, undo: { try $0.wanted().host })
        wire(shows: shows) { try $0.requireDestination() }
        build(shows: .rebuildSpawning, on: { state, _ in try state.requireDestination() })
        boot(shows: .rebuildSpawning, on: { state, input in input.startsAfter ? try state.requireDestination() : nil })
        Local("finish", shows: .rebuildSpawning) { state, run, tx in
            let (destination, starts) = (try state.requireDestination(), run.input.startsAfter)
            try run.world.setMigration("done", of: run.input.serverID, in: tx)
            try run.world.change(run.input.serverID, in: tx) { server in
                (server.host, server.otherHost) = (destination, nil)
                (server.state, server.power) = starts ? (.active, .running) : (.stopped, .off)
                (server.fault, server.launchedAt) = (nil, run.world.now)
            }
        }
    }
}

// A host from which a server was evacuated is back. While it cannot be reached this is undone, and begins again with its next report.
//
// 1 intend  nothing else is wanted of the machine, but by a newer number
// 2 remove  the host has nothing of it
// 3 finish  its share of that host is given back

struct SweepHost: Workflow {
    struct Input: Codable, Sendable {
        var serverID: ID<Kind.Server>
        /// The id of the evacuation.
        var migrationID: String
        var host: String
    }

    struct State: Codable, Sendable { var generation = Int64.max }
    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.sweep"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        Local("intend") { state, run, tx in
            // A server that was deleted meanwhile has no number that anything could be older than.
            guard try run.world.servers.find(run.input.serverID, in: tx) != nil else { return }
            state.generation = try run.world.intend(run.input.serverID, in: tx).server.generation
        }
        Remote("remove", deadline: .seconds(600)) { state, run in
            try await run.world.machines.remove(
                run.input.serverID, on: run.input.host, fence: Fence(epoch: run.epoch, generation: state.generation))
        }
        Local("finish") { _, run, tx in
            try run.world.placement.release(ID(run.input.migrationID), in: tx)
            try run.world.migrations.setStatus("completed", of: run.input.migrationID, at: run.world.now, in: tx)
        }
    }
}
