import CloudCore
import Durable

// Both places are claimed until the user has decided. Ports are rebound when the machine is off: until then the guest is heard.
//
// 1 accept       (resize_prep)       a migration is written down; undone, it has failed
// 2 look-around  (resize_prep)       where it would fit
// 3 claim        (resize_prep)       the old share becomes the migration's, the new one the server's; the row says what it is to be
// 4 stop         (resize_migrating)  its machine is off
// 5 rebind       (resize_migrating)  its ports are bound to the host where it goes
// 6 wire         (resize_migrating)  that host has the ports, and the rules that hold for them
// 7 move         (resize_finish)     its machine is there, with the size that it is to have
// 8 boot         (resize_finish)     its machine runs, if it ran before
// 9 finish       (resize_finish)     the row says resized, and where it goes back to

/// What a server is moved for.
protocol MovePurpose: Sendable {
    static var kind: WorkflowKind { get }
    static var migration: ServerMigration.Kind { get }
    /// Whether it may stay on its host.
    static var mayStay: Bool { get }
}

enum ResizePurpose: MovePurpose {
    static let kind: WorkflowKind = "compute.server.resize"
    static let migration = ServerMigration.Kind.resize
    static let mayStay = true
}

enum MigratePurpose: MovePurpose {
    static let kind: WorkflowKind = "compute.server.migrate"
    static let migration = ServerMigration.Kind.migration
    static let mayStay = false
}

typealias ResizeServer = MoveServer<ResizePurpose>
typealias MigrateServer = MoveServer<MigratePurpose>

struct MoveServer<Purpose: MovePurpose>: Workflow {
    struct Input: Codable, ServerInput {
        var serverID: ID<Server>
        var flavor: Flavor
        var migrationID: String
        /// The host that an administrator asked for.
        var host: String?
    }

    struct State: Codable, PlacingState {
        var offer: Placing.Offer?
        var former: Server.Former?
        var destination: String?
        var intent: Intent?
    }

    typealias Needs = ServerWorld
    static var kind: WorkflowKind { Purpose.kind }
    static var version: Int { 1 }

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        Local("accept", shows: .resizePreparing) { state, run, tx in
            let server = try run.needs.require(run.input.serverID, in: tx)
            state.former = .init(flavor: server.flavor, host: try server.requireHost(), wasRunning: server.state == .active)
            try run.needs.begin(
                Purpose.migration, run.input.migrationID, of: server, to: run.input.flavor, status: "pre-migrating", in: tx)
        } undo: { _, run, tx in
            try MigrationStore().setStatus("error", ofServer: run.input.serverID, at: run.needs.world.now, in: tx)
        }
        lookAround(shows: .resizePreparing) { _, input in input.flavor }
        Local("claim", shows: .resizePreparing) { state, run, tx in
            guard let former = state.former else { return }
            let id = run.input.serverID
            var server = try run.needs.require(id, in: tx)
            try run.needs.needs.placement.move(from: id.text, to: Server.formerConsumer(of: id), type: "MIGRATION", in: tx)
            server.flavor = run.input.flavor
            let host = try run.needs.placing.claim(
                server, state.offer ?? .init(), only: run.input.host, move: .init(source: former.host, mayStay: Purpose.mayStay), in: tx)
            // What was looked at has done its work, and is long.
            state.offer = nil
            state.destination = host.name
            try MigrationStore().setDestination(host.name, ofServer: id, in: tx)
            try MigrationStore().setStatus("migrating", ofServer: id, at: run.needs.world.now, in: tx)
            state.intent = try run.needs.intend(id, in: tx) { server in
                server.flavor = run.input.flavor
                server.otherHost = host.name == former.host ? nil : host.name
            }
        } undo: { state, run, tx in
            let id = run.input.serverID
            try run.needs.needs.placement.release(id.text, in: tx)
            try run.needs.needs.placement.move(from: Server.formerConsumer(of: id), to: id.text, type: "INSTANCE", in: tx)
            guard let former = state.former else { return }
            try run.needs.change(id, in: tx) { ($0.flavor, $0.otherHost) = (former.flavor, nil) }
        }
        Remote("stop", shows: .resizeMigrating, deadline: .seconds(300)) { state, run in
            guard let intent = state.intent else { return }
            try await run.needs.command(.stop(graceSeconds: 60), intent, run.epoch)
        } undo: { state, run in
            guard let intent = state.intent, state.former?.wasRunning == true else { return }
            try await run.needs.goOn(.start, intent, run.epoch)
        }
        rebind(shows: .resizeMigrating, to: \.destination, undo: \.former?.host)
        wire(shows: .resizeMigrating, on: \.destination)
        Remote("move", shows: .resizeFinishing, deadline: .seconds(3600)) { state, run in
            guard let intent = state.intent, let host = state.destination else { return }
            let machines = run.needs.needs.machines
            if try host == intent.host {
                try await machines.ensure(intent.order(), on: host, fence: intent.fence(run.epoch))
            } else {
                try await machines.move(intent.order(), from: try intent.host, to: host, isLive: false, fence: intent.fence(run.epoch))
            }
        } undo: { state, run in
            guard var intent = state.intent, let former = state.former, let host = state.destination else { return }
            let machines = run.needs.needs.machines
            guard host == former.host else {
                return try await machines.remove(intent.server.id.text, on: host, fence: intent.fence(run.epoch))
            }
            intent.server.flavor = former.flavor.keepingDisk(of: intent.server.flavor)
            try await run.needs.command(.stop(graceSeconds: 0), intent, run.epoch)
            try await machines.ensure(intent.order(), on: host, fence: intent.fence(run.epoch))
        }
        Remote("boot", shows: .resizeFinishing) { state, run in
            guard let intent = state.intent, state.former?.wasRunning == true else { return }
            try await run.needs.command(.start, intent, on: state.destination, run.epoch)
        }
        Local("finish", shows: .resizeFinishing) { state, run, tx in
            let now = run.needs.world.now
            try MigrationStore().setStatus("finished", ofServer: run.input.serverID, at: now, in: tx)
            try run.needs.change(run.input.serverID, in: tx) { server in
                server.state = .resized
                server.power = state.former?.wasRunning == true ? .running : .off
                server.former = state.former
                if let former = state.former, let host = state.destination, host != former.host {
                    (server.host, server.otherHost) = (host, former.host)
                }
                server.launchedAt = now
            }
        }
    }
}

extension Flavor {
    /// With a root disk that is no smaller than another's: a disk that has grown does not shrink.
    func keepingDisk(of other: Flavor) -> Flavor {
        var flavor = self
        flavor.diskGiB = max(diskGiB, other.diskGiB)
        return flavor
    }
}
