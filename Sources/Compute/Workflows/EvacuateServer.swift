import CloudCore
import Durable

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

struct EvacuateServer: Workflow {
    struct Input: Codable, ServerInput {
        var serverID: ID<Server>
        var migrationID: String
        /// The host that an administrator asked for.
        var host: String?
        var startsAfter: Bool
    }

    struct State: Codable, PlacingState {
        var offer: Placing.Offer?
        var flavor: Flavor?
        var destination: String?
        var intent: Intent?
    }

    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.evacuate"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        Local("accept", shows: .rebuilding) { state, run, tx in
            let server = try run.needs.require(run.input.serverID, in: tx)
            state.flavor = server.flavor
            try run.needs.begin(.evacuation, run.input.migrationID, of: server, to: server.flavor, status: "accepted", in: tx)
        } undo: { _, run, tx in
            try MigrationStore().setStatus("error", ofServer: run.input.serverID, at: run.needs.world.now, in: tx)
        }
        lookAround(shows: .rebuilding) { state, _ in state.flavor }
        Local("claim", shows: .rebuilding) { state, run, tx in
            let id = run.input.serverID
            let server = try run.needs.require(id, in: tx)
            try run.needs.needs.placement.move(from: id.text, to: run.input.migrationID, type: "MIGRATION", in: tx)
            let host = try run.needs.placing.claim(
                server, state.offer ?? .init(), only: run.input.host,
                move: .init(source: try server.requireHost(), isHandedOver: false), in: tx)
            state.offer = nil
            state.destination = host.name
            try MigrationStore().setDestination(host.name, ofServer: id, in: tx)
            state.intent = try run.needs.intend(id, in: tx) { $0.otherHost = host.name }
        } undo: { _, run, tx in
            let id = run.input.serverID
            try run.needs.needs.placement.release(id.text, in: tx)
            try run.needs.needs.placement.move(from: run.input.migrationID, to: id.text, type: "INSTANCE", in: tx)
            try run.needs.change(id, in: tx) { $0.otherHost = nil }
        }
        rebind(shows: .rebuilding, to: \.destination, undo: \.intent?.server.host)
        wire(shows: .rebuilding, on: \.destination)
        Remote("build", shows: .rebuildSpawning, deadline: .seconds(1800)) { state, run in
            guard let intent = state.intent, let host = state.destination else { return }
            try await run.needs.needs.machines.ensure(intent.order(), on: host, fence: intent.fence(run.epoch))
        } undo: { state, run in
            guard let intent = state.intent, let host = state.destination else { return }
            try await run.needs.needs.machines.remove(intent.server.id.text, on: host, fence: intent.fence(run.epoch))
        }
        Remote("boot", shows: .rebuildSpawning) { state, run in
            guard let intent = state.intent, run.input.startsAfter else { return }
            try await run.needs.command(.start, intent, on: state.destination, run.epoch)
        }
        Local("finish", shows: .rebuildSpawning) { state, run, tx in
            try MigrationStore().setStatus("done", ofServer: run.input.serverID, at: run.needs.world.now, in: tx)
            try run.needs.change(run.input.serverID, in: tx) { server in
                (server.host, server.otherHost) = (state.destination, nil)
                server.state = run.input.startsAfter ? .active : .stopped
                server.power = run.input.startsAfter ? .running : .off
                (server.fault, server.launchedAt) = (nil, run.needs.world.now)
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
        var serverID: ID<Server>
        /// Of the evacuation.
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
            // One that was deleted meanwhile has no number that anything could be older than.
            guard try run.needs.servers.find(run.input.serverID, in: tx) != nil else { return }
            state.generation = try run.needs.intend(run.input.serverID, in: tx).server.generation
        }
        Remote("remove", deadline: .seconds(600)) { state, run in
            try await run.needs.needs.machines.remove(
                run.input.serverID.text, on: run.input.host, fence: MachineFence(epoch: run.epoch, generation: state.generation))
        }
        Local("finish") { _, run, tx in
            try run.needs.needs.placement.release(run.input.migrationID, in: tx)
            try MigrationStore().setStatus("completed", of: run.input.migrationID, at: run.needs.world.now, in: tx)
        }
    }
}
