import CloudCore
import Durable
import HostModel

//   undone       (scheduling)  the server is in error
// 1 look-around  (scheduling)  the best hosts for the server are known
// 2 claim        (scheduling)  the server has a share of the best host
// 3 network      (networking)  the server has its ports, bound to the host
// 4 wire         (networking)  the host has the ports and their rules
// 5 build        (spawning)    the machine exists and is off
// 6 boot         (spawning)    the machine runs
// 7 finish       (spawning)    the row says active

struct CreateServer: Workflow {
    struct Input: Codable, ServerInput {
        var serverID: ID<Kind.Server>
        var flavor: Flavor
        var network: NetworkPlan
        /// The host that an administrator asked for.
        var host: String?

        var terms: Placing.Terms { .init(flavor: flavor, only: host) }
    }

    struct State: Codable, PlacingState {
        var offer: Placing.Offer?
        var intent: Intent?
    }

    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.create"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        WhenUndone("accept", shows: .scheduling) { _, run, tx in
            try run.world.changeBack(run.input.serverID, in: tx) { server in
                (server.state, server.power, server.host) = (.error, .none, nil)
            }
        }
        lookAround(shows: .scheduling) { _, input in input.terms }
        Local("claim", shows: .scheduling) { state, run, tx in
            let server = try run.world.require(run.input.serverID, in: tx)
            let host = try run.world.placing.claim(server, try state.requireOffer(), run.input.terms, in: tx)
            state.offer = nil
            state.intent = try run.world.intend(server.id, in: tx) { $0.host = host.name }
        } undo: { _, run, tx in
            try run.world.placement.release(Server.consumer(of: run.input.serverID), in: tx)
        }
        Local("network", shows: .networking) { state, run, tx in
            var intent = try state.wanted()
            intent.ports = try run.world.networking.ensurePorts(
                run.input.network, server: run.input.serverID, host: try intent.host, in: tx)
            state.intent = intent
        } undo: { _, run, tx in
            try run.world.networking.releasePorts(of: run.input.serverID, in: tx)
        }
        wire(shows: .networking) { state in
            let intent = try state.wanted()
            return intent.ports.isEmpty ? nil : try intent.host
        }
        build(shows: .spawning)
        boot(shows: .spawning)
        Local("finish", shows: .spawning) { _, run, tx in
            try run.world.change(run.input.serverID, in: tx) { server in
                (server.state, server.power) = (.active, .running)
                server.launchedAt = run.world.now
            }
        }
    }
}
