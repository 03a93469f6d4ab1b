import CloudCore
import Durable

// A server that is still on its host is only started there.
//
// 1 accept       (unshelving)  the server's size is noted, and whether the server has a host
// 2 look-around  (unshelving)  the best hosts for the server are known, if it has no host
// 3 claim        (unshelving)  the server has a share of the best host
// 4 rebind       (spawning)    the ports are bound to the host
// 5 wire         (spawning)    the host has the ports and their rules
// 6 build        (spawning)    the machine is made from the image that the server was shelved in
// 7 boot         (spawning)    the machine runs
//   point of no return: the user has the server again
// 8 finish       (spawning)    the row says active
// 9 tidy         (spawning)    the image is deleted

struct UnshelveServer: ServerWorkflow {
    struct Input: Codable, ServerInput {
        var serverID: ID<Kind.Server>
        /// The destination that an administrator asked for; nil to let the scheduler choose.
        var host: String?
    }

    struct State: PlacingState {
        var flavor: Flavor?
        var offer: Placing.Offer?
        var intent: Intent?
        /// Whether the server had no host, so that its machine is built.
        var isBuilt = false

        /// Returns the terms of the choice of a host; nil if the server has one.
        func terms(_ input: Input) throws -> Placing.Terms? {
            isBuilt ? .init(flavor: try flavor.required("flavor", from: "accept"), only: input.host) : nil
        }
    }

    static let kind: WorkflowKind = "compute.server.unshelve"

    static var steps: Steps<Self> {
        Local("accept", shows: .unshelving) { state, run, tx in
            let server = try run.world.require(run.input.serverID, in: tx)
            (state.flavor, state.isBuilt) = (server.flavor, server.host == nil)
        }
        lookAround(shows: .unshelving) { state, input in try state.terms(input) }
        Local("claim", shows: .unshelving) { state, run, tx in
            let server = try run.world.require(run.input.serverID, in: tx)
            var host = server.host
            if let terms = try state.terms(run.input) { host = try run.world.placing.claim(server, try state.requireOffer(), terms, in: tx).name }
            state.offer = nil
            state.intent = try run.world.intend(server.id, in: tx) { $0.host = host }
        } undo: { state, run, tx in
            guard state.isBuilt else { return }
            try run.world.placement.release(Server.consumer(of: run.input.serverID), in: tx)
            try run.renewVolumes(of: run.input.serverID, in: tx)
            try run.world.changeBack(run.input.serverID, in: tx) { $0.host = nil }
        }
        rebind(shows: .spawning, to: { $0.isBuilt ? try $0.wanted().host : nil }, undo: { $0.isBuilt ? "" : nil })
        wire(shows: .spawning) { try $0.wanted().host }
        build(shows: .spawning, on: { state, _ in state.isBuilt ? try state.wanted().host : nil }) { $0.fromShelf }
        boot(shows: .spawning, stopsAgain: { state, _ in !state.isBuilt })
        PointOfNoReturn()
        Local("finish", shows: .spawning) { state, run, tx in
            try run.completeVolumes(of: try state.wanted(), in: tx)
            try run.world.change(run.input.serverID, in: tx) { server in
                (server.state, server.power, server.shelvedImage) = (.active, .running, nil)
                server.launchedAt = run.world.now
            }
        }
        Remote("tidy", shows: .spawning) { state, run in
            try await run.world.forgetShelvedImage(of: try state.wanted().server, for: try run.requirePrincipal())
        }
    }
}

extension Intent {
    /// The same machine, made from the image that its server was shelved in.
    fileprivate var fromShelf: Intent {
        var intent = self
        intent.server.image = server.shelvedImage.map { .init(id: $0, properties: server.image?.properties ?? [:]) }
        return intent
    }
}
