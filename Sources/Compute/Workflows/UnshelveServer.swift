import CloudCore
import Durable

// A server that is still on its host is only started there.
//
// 1 accept       (unshelving)  nothing
// 2 look-around  (unshelving)  where it would fit, if it has no host
// 3 claim        (unshelving)  the best host's share
// 4 rebind       (spawning)    its ports are bound to the host
// 5 wire         (spawning)    that host has the ports, and the rules that hold for them
// 6 build        (spawning)    its machine, made from the image that it was shelved in
// 7 boot         (spawning)    its machine runs
//   point of no return: the server is the user's again
// 8 finish       (spawning)    the row says active
// 9 tidy         (spawning)    the image is gone

struct UnshelveServer: Workflow {
    struct Input: Codable, ServerInput {
        var serverID: ID<Server>
        /// The host that an administrator asked for.
        var host: String?
    }

    struct State: Codable, PlacingState {
        var flavor: Flavor?
        var offer: Placing.Offer?
        var intent: Intent?
        /// Whether it had no host.
        var isBuilt = false
    }

    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.unshelve"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        Local("accept", shows: .unshelving) { state, run, tx in
            let server = try run.needs.require(run.input.serverID, in: tx)
            (state.flavor, state.isBuilt) = (server.flavor, server.host == nil)
        }
        lookAround(shows: .unshelving) { state, _ in state.isBuilt ? state.flavor : nil }
        Local("claim", shows: .unshelving) { state, run, tx in
            let server = try run.needs.require(run.input.serverID, in: tx)
            var host = server.host
            if state.isBuilt { host = try run.needs.placing.claim(server, state.offer ?? .init(), only: run.input.host, in: tx).name }
            state.offer = nil
            state.intent = try run.needs.intend(server.id, in: tx) { $0.host = host }
        } undo: { state, run, tx in
            guard state.isBuilt else { return }
            try run.needs.needs.placement.release(run.input.serverID.text, in: tx)
            try run.needs.change(run.input.serverID, in: tx) { $0.host = nil }
        }
        rebind(shows: .spawning, to: { $0.isBuilt ? $0.intent?.server.host : nil }, undo: { $0.isBuilt ? "" : nil })
        wire(shows: .spawning, on: \.intent?.server.host)
        Remote("build", shows: .spawning, deadline: .seconds(1800)) { state, run in
            guard let intent = state.intent, state.isBuilt else { return }
            var order = intent.order()
            order.imageID = intent.server.shelvedImage
            try await run.needs.needs.machines.ensure(order, on: try intent.host, fence: intent.fence(run.epoch))
        } undo: { state, run in
            guard let intent = state.intent, state.isBuilt else { return }
            try await run.needs.needs.machines.remove(intent.server.id.text, on: try intent.host, fence: intent.fence(run.epoch))
        }
        Remote("boot", shows: .spawning) { state, run in
            guard let intent = state.intent else { return }
            try await run.needs.command(.start, intent, run.epoch)
        } undo: { state, run in
            guard let intent = state.intent, !state.isBuilt else { return }
            try await run.needs.command(.stop(graceSeconds: 0), intent, run.epoch)
        }
        PointOfNoReturn()
        Local("finish", shows: .spawning) { _, run, tx in
            try run.needs.change(run.input.serverID, in: tx) { server in
                (server.state, server.power, server.shelvedImage) = (.active, .running, nil)
                server.launchedAt = run.needs.world.now
            }
        }
        Remote("tidy", shows: .spawning) { state, run in
            try await run.needs.forgetShelvedImage(of: state.intent?.server, for: run.principal)
        }
    }
}

extension ServerWorld {
    /// The image that a server was shelved in, which nobody else has asked for, goes.
    func forgetShelvedImage(of server: Server?, for principal: Principal?) async throws {
        guard let image = server?.shelvedImage, let principal else { return }
        do {
            try await needs.images.delete(image, for: principal)
        } catch let error as CloudError where !error.isTransient {
            // One that its owner has protected or uses elsewhere stays; the server is no worse for it.
            return
        }
    }
}
