import CloudCore
import Durable
package import HostModel
import SQL

extension ComputeAssembly {
    /// The greatest age of a host's report at the time when it arrives.
    private static let longestReport = Duration.seconds(60)

    /// Changes the rows of servers to what a host saw. A guest that was shut down from within is stopped, as the API
    /// shows it. A server that a workflow works on is not changed. A sighting from before the last change of the
    /// machine is ignored.
    ///
    /// - Parameter sightings: the machines as the host saw them. Their generations are in the numbers of the rows.
    package func take(_ sightings: [ObservedMachine], on host: String) async throws {
        try await sweep(host)
        if sightings.isEmpty { return }
        let store = ServerStore()
        let now = context.world.now
        let seen = Dictionary(sightings.map { ($0.id, $0) }) { $1 }
        let changed: @Sendable (Transaction) throws -> [Server] = { tx in
            try store.find(sightings.map(\.id.text), in: tx).compactMap { server in
                guard server.host == host, let sighting = seen[server.id] else { return nil }
                // A sighting with an older generation may be from before the last change. If the last change is long
                // past, the sighting counts: the change may have been cancelled before the host was told.
                guard sighting.fence.generation >= server.generation || server.updatedAt + Self.longestReport <= now else { return nil }
                return server.taking(sighting.power)
            }
        }
        guard try await !context.read(changed).isEmpty else { return }
        try await context.write { tx in
            for var server in try changed(tx) {
                guard try workflows.activity(on: server.resource, in: tx) == nil else { continue }
                server.updatedAt = context.world.now
                try store.update(server, in: tx)
            }
        }
    }
}

extension Server {
    /// Returns the server after its machine was seen in a power state; nil if that changes nothing.
    ///
    /// By itself a guest can only stop or crash. Any other change comes from a workflow, or from a person who works on
    /// the host.
    func taking(_ power: PowerState) -> Server? {
        var server = self
        switch (power, state) {
        case (_, .building), (_, .deleted): return nil
        case (.off, .active), (.off, .paused): (server.state, server.power) = (.stopped, .off)
        case (.crashed, .active): (server.state, server.power) = (.stopped, .crashed)
        case (.running, .stopped), (.running, .paused), (.running, .suspended): (server.state, server.power) = (.active, .running)
        // A command that did its work and then failed has left the machine in this state.
        case (.paused, .active), (.paused, .stopped), (.paused, .suspended): (server.state, server.power) = (.paused, .paused)
        case (.suspended, .active), (.suspended, .stopped), (.suspended, .paused): (server.state, server.power) = (.suspended, .off)
        // The machine crashed and was seen so before. That is why it is off.
        case (.off, .stopped) where self.power == .crashed: return nil
        case (.off, _), (.suspended, _): server.power = .off
        case (.running, _): server.power = .running
        case (.paused, _): server.power = .paused
        case (.crashed, _): server.power = .crashed
        }
        return server.state == state && server.power == self.power ? nil : server
    }
}
