import CloudCore
import Durable

/// The input of a workflow of one server.
protocol ServerInput: Sendable { var serverID: ID<Kind.Server> { get } }

/// The input of a workflow that needs no more than its server's id.
protocol PlainServerInput: ServerInput { init(serverID: ID<Kind.Server>) }

extension ServerWorkflow where Input: ServerInput {
    /// A function that returns the host that ports are bound to. An empty name stands for no host; nil leaves the ports
    /// as they are.
    typealias Binding = @Sendable (State) throws -> String?

    /// Returns the step that binds the ports to the destination. Its undo binds them to the host that `source` returns.
    /// Without `source` there is no undo.
    ///
    /// - Parameter status: the migration's status from this step on; nil to keep the status.
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

    /// Returns the step that waits until the host has the server's ports and their rules. Without a host it does
    /// nothing.
    static func wire(shows: ShownState? = nil, on host: @escaping Binding) -> Remote<Self> {
        Remote<Self>("wire", shows: shows, deadline: .seconds(300)) { state, run in
            guard let host = try host(state) else { return }
            try await run.world.networking.awaitWiring(of: run.input.serverID, on: host)
        }.needed { state, _ in try host(state) != nil }
    }
}
