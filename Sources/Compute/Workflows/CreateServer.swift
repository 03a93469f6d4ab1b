import CloudCore
import Durable

// 1 accept       (scheduling)  nothing; undone, the server is in error
// 2 look-around  (scheduling)  where it would fit, and what the hosts report
// 3 claim        (scheduling)  the best host's share, in rows
// 4 network      (networking)  its ports, bound to the host
// 5 wire         (networking)  the host has the ports, and the rules that hold for them
// 6 build        (spawning)    its machine, off
// 7 boot         (spawning)    its machine, running
// 8 finish                     the row says active

struct CreateServer: Workflow {
    struct Input: Codable, ServerInput {
        var serverID: ID<Server>
        var flavor: Flavor
        var network: NetworkPlan
        /// The host that an administrator asked for.
        var host: String?
    }

    struct State: Codable, Sendable {
        var offer: Placing.Offer?
        var intent: Intent?
    }

    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.create"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        Local("accept", shows: .scheduling) { _, _, _ in
        } undo: { _, run, tx in
            try run.needs.change(run.input.serverID, in: tx) { server in
                server.state = .error
                server.power = .none
                server.host = nil
            }
        }
        Remote("look-around", shows: .scheduling) { state, run in
            state.offer = try await run.needs.placing.offer(run.input.flavor)
        }
        Local("claim", shows: .scheduling) { state, run, tx in
            let server = try run.needs.require(run.input.serverID, in: tx)
            let host = try run.needs.placing.claim(server, state.offer ?? .init(), only: run.input.host, in: tx)
            // What was looked at has done its work, and is long.
            state.offer = nil
            state.intent = try run.needs.intend(server.id, in: tx) { $0.host = host.name }
        } undo: { _, run, tx in
            try run.needs.needs.placement.release(run.input.serverID.text, in: tx)
        }
        Local("network", shows: .networking) { state, run, tx in
            let host = try state.intent?.host ?? ""
            state.intent?.ports = try run.needs.needs.networking.ensurePorts(
                run.input.network, server: run.input.serverID.text, host: host, in: tx)
        } undo: { _, run, tx in
            try run.needs.needs.networking.releasePorts(of: run.input.serverID.text, in: tx)
        }
        wire(shows: .networking) { state in try state.intent.flatMap { $0.ports.isEmpty ? nil : try $0.host } }
        Remote("build", shows: .spawning, deadline: .seconds(1800)) { state, run in
            guard let intent = state.intent else { return }
            try await run.needs.needs.machines.ensure(intent.order(), on: try intent.host, fence: intent.fence(run.epoch))
        } undo: { state, run in
            guard let intent = state.intent else { return }
            try await run.needs.needs.machines.remove(intent.server.id.text, on: try intent.host, fence: intent.fence(run.epoch))
        }
        Remote("boot", shows: .spawning) { state, run in
            guard let intent = state.intent else { return }
            try run.checkCancelled()
            try await run.needs.needs.machines.command(
                intent.server.id.text, .start, on: try intent.host, fence: intent.fence(run.epoch))
        }
        Local("finish", shows: .spawning) { _, run, tx in
            try run.needs.change(run.input.serverID, in: tx) { server in
                server.state = .active
                server.power = .running
                server.launchedAt = run.needs.world.now
            }
        }
    }
}
