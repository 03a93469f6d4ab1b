import CloudCore
package import DriverSimulated
package import Drivers
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

/// Hosts that are not there.
package struct SimulatedHostNetworks: HostNetworks {
    private let all: [NetworkHost]
    private let drivers: [String: SimulatedNetwork]

    /// - Parameter hosts: names and ids.
    package init(_ hosts: [(name: String, id: String)]) {
        // Addresses that benchmarks may use (RFC 2544): nothing is sent there.
        let first = IPAddress(.v4, 0xc612_0001)
        all = hosts.enumerated().map { number, host in
            NetworkHost(id: host.id, name: host.name, zone: "nova", isAlive: true, address: first + number)
        }
        drivers = Dictionary(uniqueKeysWithValues: hosts.map { ($0.name, SimulatedNetwork()) })
    }

    package func hosts() async throws -> [NetworkHost] { all }

    package func apply(_ state: HostNetworkState, on host: String) async throws -> NetworkReport {
        guard let driver = drivers[host] else { throw CloudError(.unavailable, "The host cannot be reached.", detail: host) }
        return try await driver.apply(state)
    }

    /// What a test looks at.
    package func driver(_ host: String) -> SimulatedNetwork? { drivers[host] }
}

/// The hosts as Networking's views show them: as they were when somebody looked last.
final class KnownHosts: NetworkingHosts {
    private let known = Mutex<[NetworkHost]>([])

    var all: [NetworkHost] { known.withLock { $0 } }
    func set(_ hosts: [NetworkHost]) { known.withLock { $0 = hosts.sorted { $0.name < $1.name } } }
    func hosts(in tx: Transaction) throws -> [NetworkHost] { all }
}
