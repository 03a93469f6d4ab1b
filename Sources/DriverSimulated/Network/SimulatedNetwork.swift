import CloudCore
import Drivers
package import HostModel
import Synchronization

/// The networks of a simulated host: they tell where packets would go.
package final class SimulatedNetwork: NetworkDriver {
    private struct Host {
        var state: HostNetworkState?
        var outsiders: [SimulatedOutsider] = []
        var flows: [String: Set<FlowKey>] = [:]
        var translations: [String: [FlowKey: FlowKey]] = [:]
    }

    package let kind = "simulated"
    private let host = Mutex(Host())

    package init() {}

    @discardableResult
    package func apply(_ state: HostNetworkState) async throws -> NetworkReport {
        try host.withLock { host in
            try state.require(notOlderThan: host.state?.generation)
            var last = state
            last.generation = host.state?.generation ?? -1
            let hasChanged = last != host.state
            host.state = state
            let cut = hasChanged ? Self.forget(&host, state) : 0
            return NetworkReport(generation: state.generation, changes: hasChanged ? ["all of it"] : [], cutFlows: cut)
        }
    }

    /// Ends the flows that would not be allowed to begin now.
    private static func forget(_ host: inout Host, _ state: HostNetworkState) -> Int {
        let book = RuleBook(state)
        var cut = 0
        for (network, flows) in host.flows {
            let ports = state.ports.filter { $0.network == network }
            func owner(_ address: IPAddress) -> PortSpec? { ports.first { $0.fixedIPs.contains { $0.address == address } } }
            let kept = flows.filter { flow in
                owner(flow.source).map { book.allows($0, .egress, flow) } ?? true && owner(flow.destination).map { book.allows($0, .ingress, flow) } ?? true
            }
            let isThere = state.networks.contains { $0.id == network }
            cut += isThere ? flows.count - kept.count : flows.count
            host.flows[network] = isThere ? kept : nil
        }
        for (id, flows) in host.translations {
            guard let router = state.routers.first(where: { $0.id == id && $0.isUp }) else {
                host.translations[id] = nil
                continue
            }
            host.translations[id] = flows.filter { before, after in isStill(before, after, router) }
        }
        return cut
    }

    private static func isStill(_ before: FlowKey, _ after: FlowKey, _ router: RouterSpec) -> Bool {
        if before.destination != after.destination,
            !router.floatingIPs.contains(where: { $0.external == before.destination && $0.fixed == after.destination }) { return false }
        guard before.source != after.source else { return true }
        if let own = router.floatingIPs.filter({ $0.fixed == before.source }).map(\.external).min() { return own == after.source }
        return router.gateway?.interface.addresses.contains { $0.address == after.source } ?? false
    }

    package func observe() async throws -> ObservedNetwork {
        host.withLock { host in
            guard let state = host.state else { return ObservedNetwork() }
            return ObservedNetwork(
                generation: state.generation, networks: Set(state.networks.map(\.id)), routers: Set(state.routers.filter(\.isUp).map(\.id)),
                ports: Set(state.ports.map(\.id)),
                servingDHCP: Set(state.networks.filter { network in
                    network.subnets.contains { subnet in
                        subnet.isServed && network.service?.addresses.contains { $0.subnet == subnet.id } == true
                    }
                }.map(\.id)))
        }
    }

    package func removeAll() async throws { host.withLock { $0 = Host() } }

    // MARK: - What a test asks

    /// Sets the machines in the provider's networks.
    package func place(_ outsiders: [SimulatedOutsider]) { host.withLock { $0.outsiders = outsiders } }

    /// Sends a packet. A flow that passed is remembered, so that its replies pass.
    ///
    /// - Returns: the receivers, each with the packet as it arrives; empty if it is dropped.
    package func send(_ packet: SimulatedPacket) -> Set<SimulatedDelivery> {
        host.withLock { host in
            guard let state = host.state else { return [] }
            var path = PacketPath(state, outsiders: host.outsiders, flows: host.flows, translations: host.translations)
            let deliveries = path.send(packet)
            (host.flows, host.translations) = (path.flows, path.translations)
            return deliveries
        }
    }
}
