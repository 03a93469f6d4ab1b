import CloudCore
import Durable
import HostModel

//   undone       (scheduling)            the volumes are free or deleted, and the server is in error
// 1 look-around  (scheduling)            the best hosts for the server are known
// 2 claim        (scheduling)            the server has a share of the best host
// 3 network      (networking)            the server has its ports, bound to the host
// 4 wire         (networking)            the host has the ports and their rules
// 5 volumes      (block_device_mapping)  the volumes that are made for the server are whole
// 6 reserve      (block_device_mapping)  the server has all its volumes
// 7 build        (spawning)              the machine exists and is off
// 8 boot         (spawning)              the machine runs
// 9 finish       (spawning)              the row says active, and the volumes are in use

struct CreateServerWithVolumes: ServerWorkflow {
    struct Input: Codable, CreationInput {
        var serverID: ID<Kind.Server>
        var flavor: Flavor
        var network: NetworkPlan
        /// The host that an administrator asked for, or that has the volumes.
        var host: String?
        /// The server's volumes. The user's own are reserved already.
        var volumes: [PlannedVolume]

        var terms: Placing.Terms { .init(flavor: flavor, only: host) }

        fileprivate var new: [NewVolume] { volumes.compactMap(\.new) }
    }

    typealias State = CreationState
    static let kind: WorkflowKind = "compute.server.create-with-volumes"

    static var steps: Steps<Self> {
        WhenUndone("accept", shows: .scheduling) { _, run, tx in
            let made = Set(run.input.new.map(\.id))
            try run.world.releaseVolumes(of: run.input.serverID, in: tx)
            for volume in made.sorted(by: { $0.text < $1.text }) {
                try run.world.volumes.delete(volume, for: run.principal, in: tx)
            }
            try run.world.changeBack(run.input.serverID, in: tx) { server in
                (server.state, server.power, server.host) = (.error, .none, nil)
            }
        }
        lookAround(shows: .scheduling) { _, input in input.terms }
        claim()
        network()
        wire()
        Remote("volumes", shows: .blockDeviceMapping, retry: .whileCopying) { state, run in
            // All of them are begun before the first is waited for.
            var unfinished: CloudError?
            for volume in run.input.new {
                do {
                    try await run.world.volumes.make(
                        volume, for: try state.wanted().host, by: try run.requirePrincipal())
                } catch let error as CloudError where error.isTransient {
                    unfinished = unfinished ?? error
                }
            }
            if let unfinished { throw unfinished }
        }
        Local("reserve", shows: .blockDeviceMapping) { state, run, tx in
            var intent = try state.wanted()
            for planned in run.input.volumes where planned.new != nil {
                try run.world.volumes.reserve(planned.use.use(in: intent.server.projectID), in: tx)
                try run.world.serverVolumes.insert(planned.use, in: tx)
            }
            intent.volumes = try run.world.serverVolumes.list(of: run.input.serverID, in: tx)
            state.intent = intent
        }
        build(shows: .spawning)
        boot(shows: .spawning)
        Local("finish", shows: .spawning) { state, run, tx in
            try run.completeVolumes(of: try state.wanted(), in: tx)
            try run.world.change(run.input.serverID, in: tx) { server in
                (server.state, server.power) = (.active, .running)
                server.launchedAt = run.world.now
            }
        }
    }
}
