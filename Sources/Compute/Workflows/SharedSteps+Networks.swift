import CloudCore
import Durable

/// The input of a workflow of one server.
protocol ServerInput: Sendable { var serverID: ID<Kind.Server> { get } }

/// The input of a workflow that needs to know nothing but its server.
protocol PlainServerInput: ServerInput { init(serverID: ID<Kind.Server>) }

extension Workflow where Needs == ServerWorld, Input: ServerInput {
    /// Names the host that ports are bound to. Empty stands for no host; nil leaves the ports where they are.
    typealias Binding = @Sendable (State) throws -> String?

    /// The ports are bound to the host where the server goes. Undone, they are bound to the host that `source` names; without it
    /// there is no undo.
    ///
    /// - Parameter status: the status of the server's migration from then on.
    static func rebind(
        shows: ShownState, to destination: @escaping Binding, undo source: Binding? = nil, migration status: String? = nil
    ) -> Local<Self> {
        let undo = source.map { source -> Local<Self>.Undo in
            { state, run, tx in
                guard let host = try source(state) else { return }
                try run.world.networking.bind(server: run.input.serverID, to: host, in: tx)
            }
        }
        let body: Local<Self>.Body = { state, run, tx in
            guard let host = try destination(state) else { return }
            try run.world.networking.bind(server: run.input.serverID, to: host, in: tx)
            if let status { try run.world.setMigration(status, of: run.input.serverID, in: tx) }
        }
        return Local("rebind", shows: shows, body, undo: undo)
    }

    /// The host has the server's ports, and the rules that hold for them. Without a host there is nothing to wait for.
    static func wire(shows: ShownState? = nil, on host: @escaping Binding) -> Remote<Self> {
        Remote("wire", shows: shows, deadline: .seconds(300)) { state, run in
            guard let host = try host(state) else { return }
            try await run.world.networking.awaitWiring(of: run.input.serverID, on: host)
        }
    }
}
