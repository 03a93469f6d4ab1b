import CloudCore
package import HostModel
import Resources
package import SQL

/// Builds the wanted state of one host's networks from the rows, in about a dozen statements for any number of rows.
struct HostStateService: Sendable {
    let networking: NetworkingContext

    /// The rows that belong to one host.
    private struct Rows {
        var ports: [Port] = []
        var networks: [Network] = []
        var subnets: [String: Subnet] = [:]
        var routers: [Router] = []
        var floating: [HostStateStore.Floating] = []
    }

    func view(of host: NetworkHost, addresses: (String) -> IPAddress?, in tx: Transaction) throws -> HostNetworkView {
        let rows = try read(host.name, in: tx)
        let remote = Dictionary(
            grouping: try HostStateStore.ports(elsewhereThan: host.name, on: rows.networks.map(\.id.text), in: tx), by: \.network)
        let machines = rows.ports.filter { !$0.isOfCloud }
        let (groups, addressGroups) = try groups(of: machines, in: tx)
        let state = HostNetworkState(
            generation: try tx.commits(of: networking.base.topic),
            networks: rows.networks.map { network(of: $0, rows, remote[$0.id.text] ?? [], host, addresses) },
            ports: machines.compactMap(Self.port), groups: groups, addressGroups: addressGroups,
            routers: rows.routers.compactMap { router(of: $0, rows) })
        return HostNetworkView(
            state: state, ports: rows.ports.map { .init(id: $0.id.text, network: $0.networkID.text, isUp: $0.isUp, status: $0.status) },
            routers: rows.routers.map { .init(id: $0.id.text, isUp: $0.isUp, status: $0.status) }, floating: rows.floating)
    }

    private func read(_ host: String, in tx: Transaction) throws -> Rows {
        var rows = Rows()
        var here = ListQuery()
        here.filter("host", .equals, host)
        rows.ports = try ResourceStore<Port>().all(here, in: tx)
        let ids = rows.ports.map(\.id.text)
        let addresses = try AddressStore(world: networking.world).addresses(ofPorts: ids, in: tx)
        let groups = try PortStore.groups(ofPorts: ids, in: tx)
        for at in rows.ports.indices {
            rows.ports[at].fixedIPs = addresses[rows.ports[at].id.text] ?? []
            rows.ports[at].securityGroups = groups[rows.ports[at].id.text] ?? []
        }
        let networks = Array(Set(rows.ports.map(\.networkID.text)))
        rows.networks = try ResourceStore<Network>().all(ListQuery(ids: networks), in: tx)
        var ofNetworks = ListQuery()
        ofNetworks.filter("network_id", in: networks)
        for subnet in try ResourceStore<Subnet>().all(ofNetworks, in: tx) { rows.subnets[subnet.id.text] = subnet }
        rows.routers = try ResourceStore<Router>().all(here, in: tx)
        rows.floating = try HostStateStore.floating(through: rows.routers.map(\.id.text), in: tx)
        return rows
    }

    // MARK: Networks

    private func network(
        of network: Network, _ rows: Rows, _ remote: [HostStateStore.RemotePort], _ host: NetworkHost,
        _ addresses: (String) -> IPAddress?
    ) -> NetworkSpec {
        let subnets = rows.subnets.values.filter { $0.networkID == network.id }.sorted { $0.id.text < $1.id.text }
        let service = rows.ports.first { $0.networkID == network.id && $0.deviceOwner == Port.dhcp }
        return NetworkSpec(
            id: network.id.text, mtu: Int(network.mtu), segment: segment(of: network, subnets, remote, host, addresses),
            subnets: subnets.compactMap(Self.subnet),
            service: service.flatMap { port in port.mac.map { DHCPService(mac: $0, addresses: Self.fixed(port)) } })
    }

    private func segment(
        of network: Network, _ subnets: [Subnet], _ remote: [HostStateStore.RemotePort], _ host: NetworkHost,
        _ addresses: (String) -> IPAddress?
    ) -> Segment {
        switch network.type {
        case "flat": return .provider(bridge: Self.bridge(network.physicalNetwork ?? "", nil))
        case "vlan": return .provider(bridge: Self.bridge(network.physicalNetwork ?? "", network.segmentID))
        default: break
        }
        if network.isExternal, network.type != "local" {
            // No network of the operator is behind it. It ends on the host, which is the gateway of its subnets.
            return .routed(addresses: subnets.compactMap { subnet in
                guard let gateway = subnet.gateway, let cidr = subnet.cidr, cidr.contains(gateway) else { return nil }
                return InterfaceAddress(gateway, cidr.length)
            })
        }
        // No tunnel is needed while one host has all ports of the network.
        guard network.type == "vxlan", let number = network.segmentID, let own = host.address else { return .local }
        let ports = remote.compactMap { port in
            addresses(port.host).map { HostModel.RemotePort(mac: port.mac, host: $0) }
        }
        guard !ports.isEmpty else { return .local }
        return .vxlan(number: Int(number), local: own, peers: Set(ports.map(\.host)).sorted(), remotePorts: ports)
    }

    /// Returns the name of the operator's bridge for a physical network: `br-`, the network's name, and `.` with the
    /// VLAN's number if there is one.
    private static func bridge(_ physical: String, _ vlan: Int64?) -> String {
        let end = vlan.map { ".\($0)" } ?? ""
        return "br-\(physical)".prefix(longestName - end.utf8.count) + end
    }

    /// The most bytes in the name of a Linux network device.
    private static let longestName = 15  // tidy: allow bound, the kernel's

    private static func subnet(_ subnet: Subnet) -> SubnetSpec? {
        guard let cidr = subnet.cidr else { return nil }
        return SubnetSpec(
            id: subnet.id.text, prefix: cidr, gateway: subnet.gateway, hasDHCP: subnet.hasDHCP, dns: subnet.nameservers.items,
            hostRoutes: subnet.routes.items.map { StaticRoute(to: $0.destination, by: $0.nexthop) },
            advertisement: subnet.advertisement.flatMap(IPv6Mode.init), addressing: subnet.addressMode.flatMap(IPv6Mode.init))
    }

    // MARK: Ports

    private static func fixed(_ port: Port) -> [FixedIP] { port.fixedIPs.map { FixedIP($0.address, subnet: $0.subnetID.text) } }

    private static func port(_ port: Port) -> PortSpec? {
        guard let mac = port.mac else { return nil }
        return PortSpec(
            id: port.id.text, network: port.networkID.text, mac: mac, fixedIPs: fixed(port),
            allowedPairs: port.pairs.items.compactMap { pair in
                IPPrefix(pair.address, alone: true).map { HostModel.AddressPair($0, mac: pair.mac == mac ? nil : pair.mac) }
            },
            isSecured: port.portSecurity, groups: port.portSecurity ? port.securityGroups : [], isUp: port.isUp, hostname: port.name,
            dhcpOptions: port.options.items.compactMap { option in
                option.value.map { HostModel.DHCPOption(option.name, $0, version: option.version == 6 ? .v6 : .v4) }
            })
    }

    // MARK: Security groups

    private func groups(of ports: [Port], in tx: Transaction) throws -> ([SecurityGroupSpec], [AddressGroupSpec]) {
        let own = Set(ports.filter(\.portSecurity).flatMap(\.securityGroups))
        let rules = try SecurityGroupStore.rules(of: own.sorted(), in: tx).mapValues { $0.compactMap(Self.rule).sorted { $0.id < $1.id } }
        var remote: Set<String> = []
        var lists: Set<String> = []
        for rule in rules.values.joined() {
            switch rule.remote {
            case .group(let id): remote.insert(id)
            case .addressGroup(let id): lists.insert(id)
            case .anybody, .prefix: break
            }
        }
        let members = try HostStateStore.members(of: remote.sorted(), in: tx)
        let groups = own.union(remote).sorted().map { id in
            SecurityGroupSpec(id: id, rules: rules[id] ?? [], members: PrefixMath.compact(Array(members[id] ?? [])))
        }
        let addressGroups = try ResourceStore<AddressGroup>().all(ListQuery(ids: lists.sorted()), in: tx)
        return (groups, addressGroups.map { AddressGroupSpec(id: $0.id.text, prefixes: $0.addresses.items.sorted()) })
    }

    /// Returns the rule for hosts; nil for a rule that cannot be read, which therefore allows nothing.
    private static func rule(_ rule: SecurityGroupRule) -> SecurityRule? {
        let match = rule.match
        guard let direction = SecurityRule.Direction(rawValue: match.direction) else { return nil }
        let version: IPAddress.Version = match.ethertype == "IPv6" ? .v6 : .v4
        var spec = SecurityRule(id: rule.id.text, direction, version)
        if let name = match.proto.text {
            guard let number = RuleProtocol.number(name).flatMap(UInt8.init(exactly:)) else { return nil }
            // The reference takes ICMP's name for the ICMP of the rule's own IP version.
            spec.proto = number == IPProtocol.icmp && version == .v6 ? IPProtocol.icmp6 : number
        }
        if let proto = spec.proto, [IPProtocol.icmp, IPProtocol.icmp6].contains(proto) {
            spec.icmpType = match.portMin.flatMap(UInt8.init(exactly:))
            spec.icmpCode = match.portMax.flatMap(UInt8.init(exactly:))
        } else if let least = match.portMin, let most = match.portMax {
            guard let first = UInt16(exactly: least), let last = UInt16(exactly: most) else { return nil }
            spec.ports = PortRange(first, last)
        }
        if let text = match.remotePrefix {
            guard let prefix = IPPrefix(text, alone: true) else { return nil }
            spec.remote = .prefix(prefix)
        } else if let group = match.remoteGroup {
            spec.remote = .group(group)
        } else if let list = match.remoteAddressGroup {
            spec.remote = .addressGroup(list)
        }
        return spec.fault == nil ? spec : nil
    }

    // MARK: Routers

    private func router(of router: Router, _ rows: Rows) -> RouterSpec? {
        let ports = rows.ports.filter { $0.deviceID == router.id.text }
        let interfaces = ports.filter { $0.deviceOwner == Port.routerInterface }.compactMap { Self.interface($0, rows) }
        let gateway = ports.first { $0.id == router.gatewayPort }.flatMap { port -> ExternalGateway? in
            guard let interface = Self.interface(port, rows) else { return nil }
            let hops = port.fixedIPs.compactMap { rows.subnets[$0.subnetID.text]?.gateway }
            return ExternalGateway(
                interface: interface, nextHops: [IPAddress.Version.v4, .v6].compactMap { version in hops.first { $0.version == version } },
                hasSNAT: router.snat)
        }
        guard !interfaces.isEmpty || gateway != nil else { return nil }
        return RouterSpec(
            id: router.id.text, isUp: router.isUp, interfaces: interfaces, gateway: gateway,
            routes: router.routes.items.map { StaticRoute(to: $0.destination, by: $0.nexthop) },
            floatingIPs: rows.floating.filter { $0.router == router.id.text }.map {
                HostModel.FloatingIP(id: $0.id, external: $0.external, fixed: $0.fixed)
            })
    }

    private static func interface(_ port: Port, _ rows: Rows) -> RouterInterface? {
        guard let mac = port.mac else { return nil }
        let addresses = port.fixedIPs.compactMap { fixed in
            rows.subnets[fixed.subnetID.text]?.cidr.map { InterfaceAddress(fixed.address, $0.length) }
        }
        return RouterInterface(id: port.id.text, network: port.networkID.text, mac: mac, addresses: addresses)
    }
}

/// The wanted state of a host's networks, with the status that the rows have recorded so far.
package struct HostNetworkView: Sendable {
    struct Place: Sendable {
        let id: String
        var network = ""
        let isUp: Bool
        let status: String
    }

    package let state: HostNetworkState
    /// All ports on the host, including those of the cloud itself.
    let ports: [Place]
    let routers: [Place]
    let floating: [HostStateStore.Floating]
}

/// The meaning of the commits since a position for hosts.
package struct HostNews: Sendable {
    /// The hosts that the commits concern; nil if it may be any.
    package let hosts: Set<String>?
    /// The position for the next call.
    package let position: ChangePosition
    /// Whether a router waits for a host.
    package let hasHomelessRouters: Bool
}
