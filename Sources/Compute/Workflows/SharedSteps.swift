import CloudCore
import Durable

// Steps that several workflows have. Each of those lists them under its own states, at their places among its own steps.

/// The input of a workflow of one server.
protocol ServerInput: Sendable { var serverID: ID<Server> { get } }

/// What is known on the way to a host.
protocol PlacingState: Sendable { var offer: Placing.Offer? { get set } }

extension Workflow where Needs == ServerWorld, State: PlacingState {
    /// Where it would fit. Without a flavor nothing is to be found.
    static func lookAround(
        shows: ShownState, for flavor: @escaping @Sendable (State, Input) -> Flavor?
    ) -> Remote<Self> {
        Remote("look-around", shows: shows) { state, run in
            guard let flavor = flavor(state, run.input) else { return }
            state.offer = try await run.needs.placing.offer(flavor)
        }
    }
}

extension Workflow where Needs == ServerWorld, Input: ServerInput {
    /// Its ports are bound to the host where it goes; undone, if it can be, to the one that it comes from. Empty is no host; nil leaves them.
    ///
    /// - Parameter migration: the word for its migration from then on.
    static func rebind(
        shows: ShownState, to destination: @escaping @Sendable (State) -> String?, undo source: (@Sendable (State) -> String?)? = nil,
        migration status: String? = nil
    ) -> Local<Self> {
        let undo = source.map { source -> Local<Self>.Undo in
            { state, run, tx in
                guard let host = source(state) else { return }
                try run.needs.needs.networking.bind(server: run.input.serverID.text, to: host, in: tx)
            }
        }
        let bind: Local<Self>.Body = { state, run, tx in
            guard let host = destination(state) else { return }
            try run.needs.needs.networking.bind(server: run.input.serverID.text, to: host, in: tx)
            if let status { try MigrationStore().setStatus(status, ofServer: run.input.serverID, at: run.needs.world.now, in: tx) }
        }
        return Local("rebind", shows: shows, bind, undo: undo)
    }

    /// The host has its ports, and the rules that hold for them. Without a host there is nothing to wait for.
    static func wire(shows: ShownState? = nil, on host: @escaping @Sendable (State) throws -> String?) -> Remote<Self> {
        Remote("wire", shows: shows, deadline: .seconds(300)) { state, run in
            guard let host = try host(state) else { return }
            try await run.needs.needs.networking.awaitWiring(of: run.input.serverID.text, on: host)
        }
    }
}

/// The input of a workflow that makes an image of a server's root disk.
protocol CopyInput: ServerInput { var image: NewImage { get } }

protocol CopyState: Sendable {
    var intent: Intent? { get }
    var snapshot: MachineSnapshot? { get set }
}

extension Workflow where Needs == ServerWorld, Input: CopyInput, State: CopyState {
    /// Nothing; undone, the image is gone that was queued before the user was answered.
    static func keepImage(shows: ShownState) -> Remote<Self> {
        Remote("keep", shows: shows) { _, _ in
        } undo: { _, run in
            guard let principal = run.principal else { return }
            try await run.needs.needs.images.delete(run.input.image.id, for: principal)
        }
    }

    /// A copy of the root disk is on the host; undone, it is gone.
    static func copyDisk(shows: ShownState) -> Remote<Self> {
        Remote("snapshot", shows: shows, deadline: .seconds(1800)) { state, run in
            guard let intent = state.intent else { return }
            state.snapshot = try await run.needs.needs.machines.snapshot(
                intent.server.id.text, as: run.input.image.id, on: try intent.host, fence: intent.fence(run.epoch))
        } undo: { state, run in
            guard let host = state.intent?.server.host else { return }
            try await run.needs.needs.machines.removeSnapshot(run.input.image.id, on: host)
        }
    }

    /// The image has the copy's bytes.
    static func fillImage(shows: ShownState) -> Remote<Self> {
        Remote("upload", shows: shows, deadline: .seconds(3600)) { state, run in
            guard let principal = run.principal, let intent = state.intent, let snapshot = state.snapshot else { return }
            try await run.needs.needs.images.fill(run.input.image.id, with: snapshot, on: try intent.host, for: principal)
        }
    }

    /// The copy is gone.
    static func removeCopy(shows: ShownState) -> Remote<Self> {
        Remote("clean-up", shows: shows) { state, run in
            guard let host = state.intent?.server.host else { return }
            try await run.needs.needs.machines.removeSnapshot(run.input.image.id, on: host)
        }
    }
}
