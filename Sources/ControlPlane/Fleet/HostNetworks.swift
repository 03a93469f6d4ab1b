import AgentCore
import Drivers
package import CloudCore
package import HostModel
package import Networking

/// The network drivers of all hosts, wherever they run.
package protocol HostNetworks: Sendable {
    /// Returns all hosts; those that cannot be reached now are not alive.
    func hosts() async -> [NetworkHost]

    /// Returns one host; nil for one that never reported.
    func host(_ name: String) async -> NetworkHost?

    /// Returns the address to which other hosts send packets of shared networks; nil for none.
    func address(of host: String) -> IPAddress?

    /// Returns the hosts that came, or came back, since the last call.
    func arrivals() async -> Set<String>

    /// Makes a host's networks equal to the state, by the host's driver.
    ///
    /// - Throws: `unavailable` (transient) if the host cannot be reached, and the errors of `NetworkDriver.apply`.
    func apply(_ state: HostNetworkState, on host: String) async throws -> NetworkReport
}

/// The network drivers beside the fleet's agents.
struct FleetNetworks: HostNetworks {
    let fleet: Fleet
    let doors: MetadataDoors
    let known: KnownHosts

    func hosts() async -> [NetworkHost] {
        await fleet.askIfNobodyKeeps()
        return known.all
    }

    func host(_ name: String) async -> NetworkHost? {
        await fleet.askIfNobodyKeeps()
        return known.host(name)
    }

    func address(of host: String) -> IPAddress? { fleet.tunnelAddress(of: host) }

    func arrivals() async -> Set<String> {
        await fleet.askIfNobodyKeeps()
        return fleet.arrivals.take()
    }

    func apply(_ state: HostNetworkState, on host: String) async throws -> NetworkReport {
        var told = state
        told.generation = fleet.era.raise(state.generation)
        let report = try await fleet.link(to: host).apply(told)
        if let driver = fleet.metadataDriver(of: host) { doors.serve(state.metadataDoors, by: driver) }
        return report
    }
}
