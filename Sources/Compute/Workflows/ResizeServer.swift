import CloudCore
import Durable

// The machine stays on its host: its disks are there. Both sizes are claimed until the user has decided.
//
// 1 accept       (resize_prep)       a migration is written down; undone, it has failed
// 2 look-around  (resize_prep)       whether the new size would fit
// 3 claim        (resize_prep)       the old share becomes the migration's, the new one the server's
// 4 stop         (resize_migrating)  its machine is off
// 5 resize       (resize_finish)     its machine has the new size
// 6 boot         (resize_finish)     its machine runs, if it ran before
// 7 finish       (resize_finish)     the row says resized, and where it goes back to

struct ResizeServer: Workflow {
    struct Input: Codable, Sendable {
        var serverID: ID<Server>
        var flavor: Flavor
        var migrationID: String
        var kind: String
    }

    struct State: Codable, Sendable {
        var offer: Placing.Offer?
        var former: Server.Former?
        var intent: Intent?
    }

    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.resize"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    /// Who has the old share while the user decides.
    static func formerConsumer(of id: ID<Server>) -> String { UUIDText.derived(from: "former", in: id.text) }

    static var steps: Steps<Self> {
        Local("accept", shows: .resizePreparing) { state, run, tx in
            let server = try run.needs.require(run.input.serverID, in: tx)
            guard let host = server.host else { throw CloudError.conflict("Instance \(server.id) has no host.") }
            state.former = .init(flavor: server.flavor, host: host, wasRunning: server.state == .active)
            let now = run.needs.world.now
            try MigrationStore().insert(
                ServerMigration(
                    number: try NumberStore().next("migration", in: tx), id: run.input.migrationID, serverID: server.id,
                    projectID: server.projectID, userID: server.userID, kind: .resize, status: "pre-migrating", source: host,
                    destination: host, oldFlavor: server.flavor.number, newFlavor: run.input.flavor.number, createdAt: now, updatedAt: now),
                in: tx)
        } undo: { _, run, tx in
            try MigrationStore().setStatus("error", ofServer: run.input.serverID, at: run.needs.world.now, in: tx)
        }
        Remote("look-around", shows: .resizePreparing) { state, run in
            state.offer = try await run.needs.placing.offer(run.input.flavor)
        }
        Local("claim", shows: .resizePreparing) { state, run, tx in
            guard let former = state.former else { return }
            let id = run.input.serverID
            var server = try run.needs.require(id, in: tx)
            try run.needs.needs.placement.move(from: id.text, to: formerConsumer(of: id), type: "MIGRATION", in: tx)
            server.flavor = run.input.flavor
            _ = try run.needs.placing.claim(server, state.offer ?? .init(), only: former.host, in: tx)
            state.offer = nil
            state.intent = try run.needs.intend(id, in: tx) { $0.flavor = run.input.flavor }
        } undo: { state, run, tx in
            let id = run.input.serverID
            try run.needs.needs.placement.release(id.text, in: tx)
            try run.needs.needs.placement.move(from: formerConsumer(of: id), to: id.text, type: "INSTANCE", in: tx)
            guard let former = state.former else { return }
            try run.needs.change(id, in: tx) { $0.flavor = former.flavor }
        }
        Remote("stop", shows: .resizeMigrating, deadline: .seconds(300)) { state, run in
            guard let intent = state.intent else { return }
            try await run.needs.needs.machines.command(
                intent.server.id.text, .stop(graceSeconds: 60), on: try intent.host, fence: intent.fence(run.epoch))
        } undo: { state, run in
            guard let intent = state.intent, state.former?.wasRunning == true else { return }
            do {
                try await run.needs.needs.machines.command(
                    intent.server.id.text, .start, on: try intent.host, fence: intent.fence(run.epoch))
            } catch let error as CloudError where !error.isTransient {
                // One that cannot run any more must not keep the rest from being undone. It is shown stopped once its host is asked.
                return
            }
        }
        Remote("resize", shows: .resizeFinishing, deadline: .seconds(600)) { state, run in
            guard let intent = state.intent else { return }
            try await run.needs.needs.machines.ensure(intent.order(), on: try intent.host, fence: intent.fence(run.epoch))
        } undo: { state, run in
            guard var intent = state.intent, let former = state.former else { return }
            intent.server.flavor = former.flavor.keepingDisk(of: intent.server.flavor)
            try await run.needs.needs.machines.command(
                intent.server.id.text, .stop(graceSeconds: 0), on: try intent.host, fence: intent.fence(run.epoch))
            try await run.needs.needs.machines.ensure(intent.order(), on: try intent.host, fence: intent.fence(run.epoch))
        }
        Remote("boot", shows: .resizeFinishing) { state, run in
            guard let intent = state.intent, state.former?.wasRunning == true else { return }
            try await run.needs.needs.machines.command(
                intent.server.id.text, .start, on: try intent.host, fence: intent.fence(run.epoch))
        }
        Local("finish", shows: .resizeFinishing) { state, run, tx in
            let now = run.needs.world.now
            try MigrationStore().setStatus("finished", ofServer: run.input.serverID, at: now, in: tx)
            try run.needs.change(run.input.serverID, in: tx) { server in
                server.state = .resized
                server.power = state.former?.wasRunning == true ? .running : .off
                server.former = state.former
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
