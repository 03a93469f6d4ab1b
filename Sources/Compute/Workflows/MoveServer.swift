import CloudCore
import Durable

// Both hosts' shares are held until the user has decided. The ports are rebound when the machine is off, so that the
// guest has its network until then.
//
// 1 accept       (resize_prep)       a migration is recorded; the undo sets it to error
// 2 look-around  (resize_prep)       the best hosts for the server are known
// 3 claim        (resize_prep)       the migration holds the old share, the server the new share and size
// 4 stop         (resize_migrating)  the machine is off
// 5 rebind       (resize_migrating)  the ports are bound to the destination
// 6 wire         (resize_migrating)  the destination has the ports and their rules
// 7 move         (resize_finish)     the machine is on the destination, with its new size
// 8 boot         (resize_finish)     the machine runs, if it ran before
// 9 finish       (resize_finish)     the row says resized, and has the former size and host

/// The reason for which a server is moved.
protocol MovePurpose: Sendable {
    static var kind: WorkflowKind { get }
    static var migration: ServerMigration.Kind { get }
    /// Whether the server may stay on its host.
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
        /// The destination that an administrator asked for; nil to let the scheduler choose.
        var host: String?
    }

    struct State: MoveState {
        var offer: Placing.Offer?
        var former: Server.Former?
        var destination: String?
        var intent: Intent?

        func requireFormer() throws -> Server.Former { try former.required("former", from: "accept") }
    }

    static var kind: WorkflowKind { Purpose.kind }
    static var shows: ShownState { .resizePreparing }
    static var terms: MoveTerms {
        MoveTerms(kind: Purpose.migration, accepted: "pre-migrating", claimed: "migrating") { .init(source: $0, mayStay: Purpose.mayStay) }
    }

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
            guard destination == former.host else { return try await run.machine(intent, on: destination).leave() }
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
    /// Returns the flavor with a root disk at least as large as the other's, because a disk that has grown does not
    /// shrink.
    func keepingDisk(of other: Flavor) -> Flavor {
        var flavor = self
        flavor.diskGiB = max(diskGiB, other.diskGiB)
        return flavor
    }
}
