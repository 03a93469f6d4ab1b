import CloudCore
import Durable
import HostModel

//   undone       (scheduling)  the server is in error
// 1 look-around  (scheduling)  the best hosts for the server are known
// 2 claim        (scheduling)  the server has a share of the best host
// 3 network      (networking)  the server has its ports, bound to the host, and its volumes, some of them unfinished
// 4 wire         (networking)  the host has the ports and their rules
// 5 build        (spawning)    the volumes are there, the machine exists and is off
// 6 boot         (spawning)    the machine runs
// 7 finish       (spawning)    the row says active

struct CreateServer: Workflow {
    struct Input: Codable, ServerInput {
        var serverID: ID<Kind.Server>
        var flavor: Flavor
        var network: NetworkPlan
        /// The host that an administrator asked for, or that has the volumes.
        var host: String?
        /// The server's volumes; nil for none. The user's own are reserved already.
        var volumes: [PlannedVolume]?

        var terms: Placing.Terms {
            var size = flavor
            if volumes?.contains(where: \.use.isRoot) == true { size.diskGiB = 0 }
            return .init(flavor: size, only: host)
        }
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
            let made = Set((run.input.volumes ?? []).compactMap { $0.new?.id })
            try run.world.releaseVolumes(of: run.input.serverID, for: run.principal, in: tx) { made.contains($0.volumeID) }
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
            for planned in run.input.volumes ?? [] { try run.world.serverVolumes.insert(planned.use, in: tx) }
            intent.volumes = try run.world.serverVolumes.list(of: run.input.serverID, in: tx)
            state.intent = intent
        } undo: { _, run, tx in
            try run.world.networking.releasePorts(of: run.input.serverID, in: tx)
        }
        wire(shows: .networking) { state in
            let intent = try state.wanted()
            return intent.ports.isEmpty ? nil : try intent.host
        }
        build(shows: .spawning) { state, run in
            for planned in run.input.volumes ?? [] {
                guard let new = planned.new else { continue }
                try await run.world.volumes.make(new, for: try state.wanted().host, by: try run.requirePrincipal())
            }
        }
        boot(shows: .spawning)
        Local("finish", shows: .spawning) { state, run, tx in
            for volume in try state.wanted().volumes { try run.world.volumes.complete(volume.attachmentID, in: tx) }
            try run.world.change(run.input.serverID, in: tx) { server in
                (server.state, server.power) = (.active, .running)
                server.launchedAt = run.world.now
            }
        }
    }
}
