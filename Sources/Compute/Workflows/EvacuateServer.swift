import CloudCore
import Durable
import HostModel

// The server's host is lost, so the server is made anew from its image. The contents of its disk are lost, too.
//
// 1 accept       (rebuilding)        a migration is recorded; the undo sets it to error
// 2 look-around  (rebuilding)        the best hosts for the server are known
// 3 claim        (rebuilding)        the migration holds the old share, the server the new one
// 4 rebind       (rebuilding)        the ports are bound to the destination
// 5 wire         (rebuilding)        the destination has the ports and their rules
// 6 build        (rebuild_spawning)  the machine exists on the destination and is off
// 7 boot         (rebuild_spawning)  the machine runs, if it is to run
// 8 finish       (rebuild_spawning)  the row names the new host
//
// When the lost host is back, `SweepHost` removes the old machine from it.

struct EvacuateServer: MovingWorkflow {
    struct Input: Codable, MoveInput {
        var serverID: ID<Kind.Server>
        var migrationID: String
        /// The destination that an administrator asked for; nil to let the scheduler choose.
        var host: String?
        var startsAfter: Bool
    }

    typealias State = SameSizeState
    static let kind: WorkflowKind = "compute.server.evacuate"
    static let shows = ShownState.rebuilding
    static let terms = MoveTerms(kind: .evacuation, accepted: "accepted") { .init(source: $0, isHandedOver: false) }

    /// Returns the consumer of the migration. It holds the share of the lost host until that host is swept.
    static func holder(_ input: Input) -> ID<Kind.Consumer> { ID(input.migrationID) }

    static var steps: Steps<Self> {
        accept()
        lookAround()
        claim()
        rebind(shows: shows, to: { try $0.requireDestination() }, undo: { try $0.wanted().host })
        wire(shows: shows) { try $0.requireDestination() }
        build(shows: .rebuildSpawning, on: { state, _ in try state.requireDestination() }, isElsewhere: true)
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

// A host from which a server was evacuated is back. If the host cannot be reached, the workflow is undone. It begins
// again with the host's next report.
//
// 1 intend  the machine's generation is raised; nothing else about it changes
// 2 remove  the host has removed the old machine
// 3 finish  the share of that host is released

struct SweepHost: ServerWorkflow {
    struct Input: Codable, Sendable {
        var serverID: ID<Kind.Server>
        /// The id of the migration that records the evacuation.
        var migrationID: String
        var host: String
    }

    struct State: WorkflowState { var generation = Int64.max }
    static let kind: WorkflowKind = "compute.server.sweep"

    static var steps: Steps<Self> {
        Local("intend") { state, run, tx in
            // The server may have been deleted meanwhile. Then the highest generation stays, which no host refuses.
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
