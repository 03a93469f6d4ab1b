import CloudCore
import HostModel

/// A compiler that turns a state into a plan. It is pure: the same state, numbers and settings give the same plan, in
/// whatever order the state lists its parts.
struct PlanCompiler: Sendable {
    let names: Names
    /// The folder for the files of dnsmasq.
    let folder: String
    let rules: RuleWriter

    func compile(_ state: HostNetworkState, _ numbers: Numbers, withoutRules refused: Set<String> = []) -> HostPlan {
        var plan = HostPlan()
        let networks = bridges(state, &plan)
        let ports = taps(state, networks, &plan)
        for network in networks.values.sorted(by: { $0.spec.id < $1.spec.id }) {
            if let namespace = service(network, ports, numbers) { plan.namespaces.append(namespace) }
        }
        for router in unique(state.routers, by: \.id, .router, &plan) where router.isUp {
            plan.namespaces.append(self.router(router, networks, numbers, &plan))
        }
        plan.zones = numbers.zones.filter { networks[$0.key].map { $0.bridge.isOwn && !$0.bridge.isRouted } == true }
        plan.filter = FilterCompiler(names: names, rules: rules, numbers: numbers, refused: refused)
            .compile(state, ports: ports, plan: &plan)
        plan.problems.sort()
        return plan
    }

    struct PlannedNetwork {
        let spec: NetworkSpec
        let bridge: BridgePlan
    }

    /// Returns the first spec of each id, sorted. A second one is a fault of the control plane and must not disturb the
    /// first.
    private func unique<Spec>(
        _ specs: [Spec], by id: KeyPath<Spec, String>, _ subject: NetworkProblem.Subject, _ plan: inout HostPlan
    ) -> [Spec] {
        var seen: Set<String> = []
        var names: Set<String> = []
        var kept: [Spec] = []
        for spec in specs.sorted(by: { $0[keyPath: id] < $1[keyPath: id] }) {
            let id = spec[keyPath: id]
            guard seen.insert(id).inserted, names.insert(Names.short(id)).inserted else {
                plan.problems.append(NetworkProblem(subject, id, "its id, or the name made of it, is another's"))
                continue
            }
            kept.append(spec)
        }
        return kept
    }

    private func bridges(_ state: HostNetworkState, _ plan: inout HostPlan) -> [String: PlannedNetwork] {
        var networks: [String: PlannedNetwork] = [:]
        for spec in unique(state.networks, by: \.id, .network, &plan) {
            guard (68...65_535).contains(spec.mtu) else {
                plan.problems.append(NetworkProblem(.network, spec.id, "an MTU of \(spec.mtu)"))
                continue
            }
            var bridge = BridgePlan(network: spec.id, name: names.bridge(spec.id), mtu: spec.mtu, isOwn: true)
            switch spec.segment {
            case .local: break
            case .provider(let name):
                guard Names.isPlain(device: name) else {
                    plan.problems.append(NetworkProblem(.network, spec.id, "its bridge has a name that is none"))
                    continue
                }
                (bridge.name, bridge.isOwn) = (name, false)
            case .vxlan(let number, let local, let peers, let remotePorts):
                let floods = peers.map { ForwardingEntry(mac: "00:00:00:00:00:00", host: $0.description) }
                let known = remotePorts.map { ForwardingEntry(mac: $0.mac.description, host: $0.host.description) }
                bridge.tunnel = TunnelPlan(
                    name: names.tunnel(spec.id), number: number, local: local, forwarding: Set(floods + known).sorted())
            case .routed(let addresses):
                bridge.isRouted = true
                bridge.addresses = Set(addresses).sorted { ($0.address, $0.length) < ($1.address, $1.length) }
            }
            networks[spec.id] = PlannedNetwork(spec: spec, bridge: bridge)
            plan.bridges.append(bridge)
        }
        return networks
    }

    /// Plans the taps, and returns the ports for which it is possible.
    private func taps(_ state: HostNetworkState, _ networks: [String: PlannedNetwork], _ plan: inout HostPlan) -> [PortSpec] {
        var taken: Set<String> = []
        var ports: [PortSpec] = []
        for port in unique(state.ports, by: \.id, .port, &plan) {
            guard let network = networks[port.network] else {
                plan.problems.append(NetworkProblem(.port, port.id, "its network is not on this host"))
                continue
            }
            guard Names.isPlain(device: port.tap), !names.isOwn(link: port.tap), taken.insert(port.tap).inserted else {
                plan.problems.append(NetworkProblem(.port, port.id, "its tap has a name that is none, or another's"))
                continue
            }
            plan.taps.append(
                TapPlan(port: port.id, name: port.tap, bridge: network.bridge.name, mtu: network.spec.mtu, isUp: port.isUp))
            ports.append(port)
        }
        return ports
    }

    // MARK: - Namespaces

    private func service(_ network: PlannedNetwork, _ ports: [PortSpec], _ numbers: Numbers) -> NamespacePlan? {
        guard let service = network.spec.service else { return nil }
        let subnets = Dictionary(network.spec.subnets.map { ($0.id, $0) }) { first, _ in first }
        var addresses = service.addresses.compactMap { fixed in
            subnets[fixed.subnet].map { InterfaceAddress(fixed.address, $0.prefix.length) }
        }
        if service.hasMetadata { addresses.append(InterfaceAddress(MetadataEndpoint.address, 32)) }
        let id = "service/" + network.spec.id
        let link = LinkPlan(
            outer: names.outer(id), inner: names.inner(id), bridge: network.bridge.name, mac: service.mac, mtu: network.spec.mtu,
            addresses: addresses)
        var namespace = NamespacePlan(
            owner: .network(network.spec.id), name: names.serviceNamespace(network.spec.id), links: [link])
        namespace.dhcp = DHCPCompiler(names: names, folder: folder, numbers: numbers)
            .compile(network.spec, service, ports.filter { $0.network == network.spec.id }, interface: link.inner)
        return namespace
    }

    private func router(
        _ router: RouterSpec, _ networks: [String: PlannedNetwork], _ numbers: Numbers, _ plan: inout HostPlan
    ) -> NamespacePlan {
        var links: [LinkPlan] = []
        func link(_ interface: RouterInterface) -> LinkPlan? {
            guard let network = networks[interface.network] else {
                plan.problems.append(NetworkProblem(.router, router.id, "the network of its port \(interface.id) is not on this host"))
                return nil
            }
            return LinkPlan(
                outer: names.outer(interface.id), inner: names.inner(interface.id), bridge: network.bridge.name, mac: interface.mac,
                mtu: network.spec.mtu, addresses: interface.addresses)
        }
        for interface in router.interfaces.sorted(by: { $0.id < $1.id }) { if let link = link(interface) { links.append(link) } }
        let floating = TranslationCompiler.usable(router, &plan)
        var gateway: String?
        if let external = router.gateway, var link = link(external.interface) {
            link.addresses += floating.map { InterfaceAddress($0.external, 32) }
            gateway = link.inner
            links.append(link)
        }
        var routes = router.routes.map { RoutePlan(destination: $0.destination, nextHop: $0.nextHop) }
        for version in [IPAddress.Version.v4, .v6] {
            guard gateway != nil, let hop = router.gateway?.nextHops.first(where: { $0.version == version }) else { continue }
            let all = IPPrefix(IPAddress(version, 0), 0)
            if !routes.contains(where: { $0.destination == all }) { routes.append(RoutePlan(destination: all, nextHop: hop)) }
        }
        var namespace = NamespacePlan(owner: .router(router.id), name: names.routerNamespace(router.id), links: links)
        if router.hasMetadata { namespace.loopback = [InterfaceAddress(MetadataEndpoint.address, 32)] }
        namespace.routes = Set(routes).sorted { ($0.destination, $0.nextHop) < ($1.destination, $1.nextHop) }
        namespace.translation = TranslationCompiler(names: names).compile(router, floating, external: gateway)
        namespace.dhcp = DHCPCompiler(names: names, folder: folder, numbers: numbers).advertise(router, networks.mapValues(\.spec))
        return namespace
    }
}
