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

struct CreateServer: ServerWorkflow {
    struct Input: Codable, CreationInput {
        var serverID: ID<Kind.Server>
        var flavor: Flavor
        var network: NetworkPlan
        /// The host that an administrator asked for.
        var host: String?

        var terms: Placing.Terms { .init(flavor: flavor, only: host) }
    }

    typealias State = CreationState
    static let kind: WorkflowKind = "compute.server.create"

    static var steps: Steps<Self> {
        WhenUndone("accept", shows: .scheduling) { _, run, tx in
            try run.world.changeBack(run.input.serverID, in: tx) { server in
                (server.state, server.power, server.host) = (.error, .none, nil)
            }
        }
        lookAround(shows: .scheduling) { _, input in input.terms }
        claim()
        network()
        wire()
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

// MARK: The steps that both creations have

/// The input of a workflow that creates a server.
protocol CreationInput: ServerInput {
    var network: NetworkPlan { get }
    /// The terms of the choice of the server's host.
    var terms: Placing.Terms { get }
}

/// The state of a workflow that creates a server.
struct CreationState: PlacingState {
    var offer: Placing.Offer?
    var intent: Intent?
}

extension ServerWorkflow where Input: CreationInput, State == CreationState {
    /// Returns the step that gives the server a share of the best host.
    static func claim() -> Local<Self> {
        Local("claim", shows: .scheduling) { state, run, tx in
            let server = try run.world.require(run.input.serverID, in: tx)
            let host = try run.world.placing.claim(server, try state.requireOffer(), run.input.terms, in: tx)
            state.offer = nil
            state.intent = try run.world.intend(server.id, in: tx) { $0.host = host.name }
        } undo: { _, run, tx in
            try run.world.placement.release(Server.consumer(of: run.input.serverID), in: tx)
        }
    }

    /// Returns the step that gives the server its ports, bound to the host.
    static func network() -> Local<Self> {
        Local("network", shows: .networking) { state, run, tx in
            var intent = try state.wanted()
            intent.ports = try run.world.networking.ensurePorts(
                run.input.network, server: run.input.serverID, host: try intent.host, in: tx)
            state.intent = intent
        } undo: { _, run, tx in
            try run.world.networking.releasePorts(of: run.input.serverID, in: tx)
        }
    }

    /// Returns the step that waits until the host has the ports and their rules.
    static func wire() -> Remote<Self> {
        wire(shows: .networking) { state in
            let intent = try state.wanted()
            return intent.ports.isEmpty ? nil : try intent.host
        }
    }
}
