import AgentCore
import CloudCore
import Drivers
package import HostModel
package import Networking
import SQL
import Synchronization

/// The network drivers of all hosts, wherever they run.
package protocol HostNetworks: Sendable {
    /// Returns all hosts; those that cannot be reached now are not alive.
    func hosts() async throws -> [NetworkHost]

    /// Makes a host's networks equal to the state, by the host's driver.
    ///
    /// - Throws: `unavailable` (transient) if the host cannot be reached, and the errors of `NetworkDriver.apply`.
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

/// The hosts as Networking's views show them: as they were at the last look.
final class KnownHosts: NetworkingHosts {
    private let known = Mutex<[NetworkHost]>([])

    var all: [NetworkHost] { known.withLock { $0 } }
    func set(_ hosts: [NetworkHost]) { known.withLock { $0 = hosts.sorted { $0.name < $1.name } } }
    func hosts(in tx: Transaction) throws -> [NetworkHost] { all }
}
