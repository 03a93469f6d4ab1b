import AgentCore
import CloudCore
import Drivers
package import HostModel
package import Networking
import SQL
import Synchronization

/// The hosts' network drivers, wherever they run.
package protocol HostNetworks: Sendable {
    /// All hosts; those that cannot be reached now are not alive.
    func hosts() async throws -> [NetworkHost]

    /// Has a host's driver make its networks so.
    ///
    /// - Throws: `unavailable` (transient) when the host is not reached; what `NetworkDriver.apply` throws.
    func apply(_ state: HostNetworkState, on host: String) async throws -> NetworkReport
}

/// The network drivers beside the fleet's agents.
struct FleetNetworks: HostNetworks {
    let fleet: Fleet
    let doors: MetadataDoors
    let world: World

    func hosts() async throws -> [NetworkHost] {
        let now = world.now
        return await fleet.facts().map {
            var host = NetworkHost(
                id: $0.id, name: $0.name, zone: "nova", isAlive: $0.isUp(at: now) && fleet.isOpen($0.name),
                address: fleet.tunnelAddress(of: $0.name))
            (host.startedAt, host.seenAt) = ($0.bootedAt, $0.seenAt)
            return host
        }
    }

    func apply(_ state: HostNetworkState, on host: String) async throws -> NetworkReport {
        var told = state
        told.generation = fleet.era.raise(state.generation)
        let report = try await fleet.link(to: host).apply(told)
        if let driver = fleet.metadataDriver(of: host) { doors.serve(state.metadataDoors, by: driver) }
        return report
    }
}

/// The hosts as Networking's views show them: as they were when somebody looked last.
final class KnownHosts: NetworkingHosts {
    private let known = Mutex<[NetworkHost]>([])

    var all: [NetworkHost] { known.withLock { $0 } }
    func set(_ hosts: [NetworkHost]) { known.withLock { $0 = hosts.sorted { $0.name < $1.name } } }
    func hosts(in tx: Transaction) throws -> [NetworkHost] { all }
}
