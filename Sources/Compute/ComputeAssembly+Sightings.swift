import CloudCore
import Durable
package import HostModel
import SQL

extension ComputeAssembly {
    /// What a host says is no older when it is heard.
    private static let longestReport = Duration.seconds(60)

    /// Brings rows to what hosts saw: a guest that was shut down from within is stopped, as the API shows it. A server that a workflow
    /// works on is left to it, and a sighting from before the last change is nobody's.
    ///
    /// - Parameter sightings: the machines as the host saw them, with generations as rows count them.
    package func take(_ sightings: [ObservedMachine], on host: String) async throws {
        try await sweep(host)
        let store = ServerStore()
        let now = context.world.now
        let seen = Dictionary(sightings.map { ($0.id, $0) }) { $1 }
        let changed: @Sendable (Transaction) throws -> [Server] = { tx in
            try store.list(.init(host: host, ids: sightings.map(\.id.text)), in: tx).compactMap { server in
                guard let sighting = seen[server.id] else { return nil }
                // An older sighting is from before what was done since; but where nothing was done for a while it is what there is: the
                // last change may have been called off before the host heard of it.
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
    /// The server after its machine was seen so; nil when that changes nothing.
    ///
    /// What a guest can do by itself is to stop and to crash. All else comes of a workflow, or of whoever works on the host by hand.
    func taking(_ power: PowerState) -> Server? {
        var server = self
        switch (power, state) {
        case (_, .building), (_, .deleted): return nil
        case (.off, .active), (.off, .paused): (server.state, server.power) = (.stopped, .off)
        case (.crashed, .active): (server.state, server.power) = (.stopped, .crashed)
        case (.running, .stopped), (.running, .paused), (.running, .suspended): (server.state, server.power) = (.active, .running)
        // A verb that did its work and then failed has left the machine so.
        case (.paused, .active), (.paused, .stopped), (.paused, .suspended): (server.state, server.power) = (.paused, .paused)
        case (.suspended, .active), (.suspended, .stopped), (.suspended, .paused): (server.state, server.power) = (.suspended, .off)
        // A machine that stopped because it crashed was seen so before.
        case (.off, .stopped) where self.power == .crashed: return nil
        case (.off, _), (.suspended, _): server.power = .off
        case (.running, _): server.power = .running
        case (.paused, _): server.power = .paused
        case (.crashed, _): server.power = .crashed
        }
        return server.state == state && server.power == self.power ? nil : server
    }
}
