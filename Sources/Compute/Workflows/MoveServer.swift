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

struct MoveServer<Purpose: MovePurpose>: MovingWorkflow {
    struct Input: Codable, MoveInput {
        var serverID: ID<Kind.Server>
        var flavor: Flavor
        var migrationID: String
        /// The host that an administrator asked for.
        var host: String?
    }

    struct State: Codable, MoveState {
        var offer: Placing.Offer?
        var former: Server.Former?
        var destination: String?
        var intent: Intent?

        func requireFormer() throws -> Server.Former { try former.required("former", from: "accept") }
    }

    typealias Needs = ServerWorld
    static var kind: WorkflowKind { Purpose.kind }
    static var version: Int { 1 }
    static var shows: ShownState { .resizePreparing }
    static var terms: MoveTerms {
        MoveTerms(kind: Purpose.migration, accepted: "pre-migrating", claimed: "migrating") { .init(source: $0, mayStay: Purpose.mayStay) }
    }

    static func start(_ input: Input) -> State { State() }

    static func note(_ server: Server, in state: inout State) throws {
        state.former = .init(flavor: server.flavor, host: try server.requireHost(), wasRunning: server.state == .active)
    }

    static func sizeBefore(_ state: State) throws -> Flavor { try state.requireFormer().flavor }
    static func sizeAfter(_ state: State, _ input: Input) throws -> Flavor { input.flavor }

    static var steps: Steps<Self> {
        accept()
        lookAround()
        claim()
        stop(shows: .resizeMigrating, startsAgain: { state, _ in try state.requireFormer().wasRunning })
        rebind(shows: .resizeMigrating, to: { try $0.requireDestination() }, undo: { try $0.requireFormer().host })
        wire(shows: .resizeMigrating) { try $0.requireDestination() }
        Remote("move", shows: .resizeFinishing, deadline: .seconds(3600)) { state, run in
            let (machine, destination) = (try run.machine(try state.wanted()), try state.requireDestination())
            if destination == machine.host { try await machine.ensure() } else { try await machine.move(to: destination, isLive: false) }
        } undo: { state, run in
            let (former, destination) = (try state.requireFormer(), try state.requireDestination())
            var intent = try state.wanted()
            guard destination == former.host else { return try await run.machine(intent, on: destination).remove() }
            intent.server.flavor = former.flavor.keepingDisk(of: intent.server.flavor)
            let machine = run.machine(intent, on: destination)
            try await machine.stop(graceSeconds: 0)
            try await machine.ensure()
        }
        boot(shows: .resizeFinishing, on: { state, _ in try state.requireFormer().wasRunning ? try state.requireDestination() : nil })
        Local("finish", shows: .resizeFinishing) { state, run, tx in
            let (former, destination) = (try state.requireFormer(), try state.requireDestination())
            try run.world.setMigration("finished", of: run.input.serverID, in: tx)
            try run.world.change(run.input.serverID, in: tx) { server in
                (server.state, server.power) = (.resized, former.wasRunning ? .running : .off)
                (server.former, server.launchedAt) = (former, run.world.now)
                if destination != former.host { (server.host, server.otherHost) = (destination, former.host) }
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
