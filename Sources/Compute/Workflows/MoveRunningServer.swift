import CloudCore
import Durable

// The guest goes on without hearing of it.
//
// 1 accept       (migrating)  a migration is written down; undone, it has failed
// 2 look-around  (migrating)  where it would fit
// 3 claim        (migrating)  the old share becomes the migration's, the new one the server's
// 4 hold         (migrating)  nothing; undone, the guest goes on where it was
// 5 rebind       (migrating)  its ports are bound to the host where it goes
// 6 wire         (migrating)  that host has the ports, and the rules that hold for them
// 7 move         (migrating)  its machine is there, and does what it did
//   point of no return: the guest goes on there
// 8 arrive       (migrating)  the row says where it is, the old share is given back
// 9 leave        (migrating)  the host that it comes from has nothing of it
// 10 finish      (migrating)  the migration is complete

struct MoveRunningServer: Workflow {
    struct Input: Codable, ServerInput {
        var serverID: ID<Server>
        var migrationID: String
        /// The host that an administrator asked for.
        var host: String?
    }

    struct State: Codable, PlacingState {
        var offer: Placing.Offer?
        var flavor: Flavor?
        var destination: String?
        var intent: Intent?
    }

    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.live-migrate"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        Local("accept", shows: .migrating) { state, run, tx in
            let server = try run.needs.require(run.input.serverID, in: tx)
            _ = try server.requireHost()
            state.flavor = server.flavor
            try run.needs.begin(.live, run.input.migrationID, of: server, to: server.flavor, status: "queued", in: tx)
        } undo: { _, run, tx in
            try MigrationStore().setStatus("error", ofServer: run.input.serverID, unless: "cancelled", at: run.needs.world.now, in: tx)
        }
        lookAround(shows: .migrating) { state, _ in state.flavor }
        Local("claim", shows: .migrating) { state, run, tx in
            let id = run.input.serverID
            let server = try run.needs.require(id, in: tx)
            let source = try server.requireHost()
            try run.needs.needs.placement.move(from: id.text, to: Server.formerConsumer(of: id), type: "MIGRATION", in: tx)
            let host = try run.needs.placing.claim(
                server, state.offer ?? .init(), only: run.input.host, move: .init(source: source, isLive: true), in: tx)
            state.offer = nil
            state.destination = host.name
            try MigrationStore().setDestination(host.name, ofServer: id, in: tx)
            try MigrationStore().setStatus("preparing", ofServer: id, at: run.needs.world.now, in: tx)
            state.intent = try run.needs.intend(id, in: tx) { $0.otherHost = host.name }
        } undo: { _, run, tx in
            let id = run.input.serverID
            try run.needs.needs.placement.release(id.text, in: tx)
            try run.needs.needs.placement.move(from: Server.formerConsumer(of: id), to: id.text, type: "INSTANCE", in: tx)
            try run.needs.change(id, in: tx) { $0.otherHost = nil }
        }
        Remote("hold", shows: .migrating) { _, _ in
        } undo: { state, run in
            guard let intent = state.intent else { return }
            try await run.needs.goOn(intent.server.state == .paused ? .pause : .start, intent, run.epoch)
        }
        rebind(shows: .migrating, to: \.destination, undo: \.intent?.server.host, migration: "running")
        wire(shows: .migrating, on: \.destination)
        Remote("move", shows: .migrating, deadline: .seconds(3600)) { state, run in
            guard let intent = state.intent, let host = state.destination else { return }
            try await run.needs.needs.machines.move(
                intent.order(), from: try intent.host, to: host, isLive: true, fence: intent.fence(run.epoch))
        } undo: { state, run in
            guard let intent = state.intent, let host = state.destination else { return }
            try await run.needs.needs.machines.remove(intent.server.id.text, on: host, fence: intent.fence(run.epoch))
        }
        PointOfNoReturn()
        Local("arrive", shows: .migrating) { state, run, tx in
            let id = run.input.serverID
            try run.needs.needs.placement.release(Server.formerConsumer(of: id), in: tx)
            try MigrationStore().setStatus("post-migrating", ofServer: id, at: run.needs.world.now, in: tx)
            try run.needs.change(id, in: tx) { ($0.host, $0.otherHost) = (state.destination, $0.host) }
        }
        Remote("leave", shows: .migrating, deadline: .seconds(600)) { state, run in
            guard let intent = state.intent else { return }
            try await run.needs.needs.machines.remove(intent.server.id.text, on: try intent.host, fence: intent.fence(run.epoch))
        }
        Local("finish", shows: .migrating) { _, run, tx in
            try MigrationStore().setStatus("completed", ofServer: run.input.serverID, at: run.needs.world.now, in: tx)
            try run.needs.change(run.input.serverID, in: tx) { $0.otherHost = nil }
        }
    }
}
