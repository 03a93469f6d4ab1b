package import CloudCore

/// The wanted state of all networks of one host. The ids are the control plane's; the names on the host are made only
/// of them.
package struct HostNetworkState: Hashable, StoredValue {
    package static let storedName = "agent.network-state"

    /// The generation, which only rises. A state with the same generation as the last one is applied again.
    package var generation: Int64
    package var networks: [NetworkSpec]
    package var ports: [PortSpec]
    package var groups: [SecurityGroupSpec]
    package var addressGroups: [AddressGroupSpec]
    package var routers: [RouterSpec]

    package init(
        generation: Int64, networks: [NetworkSpec] = [], ports: [PortSpec] = [], groups: [SecurityGroupSpec] = [],
        addressGroups: [AddressGroupSpec] = [], routers: [RouterSpec] = []
    ) {
        self.generation = generation
        self.networks = networks
        self.ports = ports
        self.groups = groups
        self.addressGroups = addressGroups
        self.routers = routers
    }
}

// MARK: - Networks

/// The part of a network that is on this host.
package struct NetworkSpec: Hashable, Sendable, Codable {
    package var id: String
    package var mtu: Int
    package var segment: Segment
    package var subnets: [SubnetSpec]
    /// The DHCP service in the network; nil for none on this host.
    package var service: DHCPService?

    package init(id: String, mtu: Int = 1500, segment: Segment = .local, subnets: [SubnetSpec] = [], service: DHCPService? = nil) {
        self.id = id
        self.mtu = mtu
        self.segment = segment
        self.subnets = subnets
        self.service = service
    }
}

/// The way in which a network leaves the host.
package enum Segment: Hashable, Sendable, Codable {
    /// The network stays on the host.
    case local
    /// The network continues over a bridge that the operator made and maintains, with the provider's network behind it.
    case provider(bridge: String)
    /// The network continues through UDP to the other hosts with ports in it. `remotePorts` tells behind which of them
    /// a MAC address is.
    case vxlan(number: Int, local: IPAddress, peers: [IPAddress], remotePorts: [RemotePort])
    /// The network ends on the host, which has these addresses in it (including the gateway's, with the subnet's prefix
    /// length) and forwards other traffic with its own address. This makes an external network on one host without any
    /// network of the operator.
    case routed(addresses: [InterfaceAddress])
}

package struct RemotePort: Hashable, Sendable, Codable {
    package var mac: MACAddress
    package var host: IPAddress

    package init(mac: MACAddress, host: IPAddress) {
        self.mac = mac
        self.host = host
    }
}

package struct SubnetSpec: Hashable, Sendable, Codable {
    package var id: String
    package var prefix: IPPrefix
    package var gateway: IPAddress?
    package var hasDHCP: Bool
    package var dns: [IPAddress]
    package var hostRoutes: [StaticRoute]
    /// The mode that routers advertise in the subnet; nil for no advertisements. Only for IPv6.
    package var advertisement: IPv6Mode?
    /// The way in which guests get their addresses; nil if they form them themselves or get none. Only for IPv6:
    /// without it, DHCP does not serve the subnet.
    package var addressing: IPv6Mode?

    package init(
        id: String, prefix: IPPrefix, gateway: IPAddress? = nil, hasDHCP: Bool = true, dns: [IPAddress] = [], hostRoutes: [StaticRoute] = [],
        advertisement: IPv6Mode? = nil, addressing: IPv6Mode? = nil
    ) {
        self.id = id
        self.prefix = prefix
        self.gateway = gateway
        self.hasDHCP = hasDHCP
        self.dns = dns
        self.hostRoutes = hostRoutes
        self.advertisement = advertisement
        self.addressing = addressing
    }

    /// Whether DHCP answers guests in the subnet.
    package var isServed: Bool { hasDHCP && (prefix.version == .v4 || addressing == .stateful || addressing == .stateless) }
    /// Whether DHCP gives guests their addresses.
    package var givesAddresses: Bool { hasDHCP && (prefix.version == .v4 || addressing == .stateful) }
}

/// The values of OpenStack's `ipv6_ra_mode` and `ipv6_address_mode`.
package enum IPv6Mode: String, Hashable, Sendable, Codable {
    /// Guests form their addresses from the prefix.
    case slaac
    /// Guests get their addresses and everything else from DHCP.
    case stateful = "dhcpv6-stateful"
    /// Guests form their addresses from the prefix, and get everything else from DHCP.
    case stateless = "dhcpv6-stateless"
}

/// A port of the cloud itself in a network. It serves DHCP and metadata.
package struct DHCPService: Hashable, Sendable, Codable {
    package var mac: MACAddress
    package var addresses: [FixedIP]
    package var hasMetadata: Bool

    package init(mac: MACAddress, addresses: [FixedIP], hasMetadata: Bool = true) {
        self.mac = mac
        self.addresses = addresses
        self.hasMetadata = hasMetadata
    }
}

package struct StaticRoute: Hashable, Sendable, Codable {
    package var destination: IPPrefix
    package var nextHop: IPAddress

    package init(to destination: IPPrefix, by nextHop: IPAddress) {
        self.destination = destination
        self.nextHop = nextHop
    }
}

// MARK: - Ports

/// A port of a machine on this host.
package struct PortSpec: Hashable, Sendable, Codable {
    package var id: String
    package var network: String
    package var mac: MACAddress
    package var fixedIPs: [FixedIP]
    package var allowedPairs: [AddressPair]
    /// Whether security groups apply. Without it, all traffic of the guest passes.
    package var isSecured: Bool
    package var groups: [String]
    /// The device in which the machine's card ends; it is made if it is missing. `NIC.tap` of the machine has the same
    /// name.
    package var tap: String
    package var isUp: Bool
    /// A text of the user. The guest gets it as its host name if it is a valid one; otherwise a name is made from the
    /// address.
    package var hostname: String
    package var dhcpOptions: [DHCPOption]

    package init(
        id: String, network: String, mac: MACAddress, fixedIPs: [FixedIP] = [], allowedPairs: [AddressPair] = [], isSecured: Bool = true,
        groups: [String] = [], tap: String? = nil, isUp: Bool = true, hostname: String = "", dhcpOptions: [DHCPOption] = []
    ) {
        self.id = id
        self.network = network
        self.mac = mac
        self.fixedIPs = fixedIPs
        self.allowedPairs = allowedPairs
        self.isSecured = isSecured
        self.groups = groups
        self.tap = tap ?? Self.tap(of: id)
        self.isUp = isUp
        self.hostname = hostname
        self.dhcpOptions = dhcpOptions
    }

    /// Returns the name of the tap for a port's id: OpenStack's, with 14 characters.
    package static func tap(of id: String) -> String { "tap" + id.prefix(11) }
}

package struct FixedIP: Hashable, Sendable, Codable {
    package var subnet: String
    package var address: IPAddress

    package init(_ address: IPAddress, subnet: String) {
        self.subnet = subnet
        self.address = address
    }
}

/// Additional addresses from which a guest may send.
package struct AddressPair: Hashable, Sendable, Codable {
    /// The MAC address; nil for the port's own.
    package var mac: MACAddress?
    package var prefix: IPPrefix

    package init(_ prefix: IPPrefix, mac: MACAddress? = nil) {
        self.mac = mac
        self.prefix = prefix
    }
}

/// A DHCP option that a user wants for a port: a number or a name, and the user's text.
package struct DHCPOption: Hashable, Sendable, Codable {
    package var name: String
    package var value: String
    package var version: IPAddress.Version

    package init(_ name: String, _ value: String, version: IPAddress.Version = .v4) {
        self.name = name
        self.value = value
        self.version = version
    }
}

// MARK: - Routers

package struct RouterSpec: Hashable, Sendable, Codable {
    package var id: String
    package var isUp: Bool
    package var interfaces: [RouterInterface]
    package var gateway: ExternalGateway?
    package var routes: [StaticRoute]
    package var floatingIPs: [FloatingIP]
    /// Whether guests reach the metadata service through the router. Guests of networks without DHCP have no other way.
    package var hasMetadata: Bool

    package init(
        id: String, isUp: Bool = true, interfaces: [RouterInterface] = [], gateway: ExternalGateway? = nil, routes: [StaticRoute] = [],
        floatingIPs: [FloatingIP] = [], hasMetadata: Bool = true
    ) {
        self.id = id
        self.isUp = isUp
        self.interfaces = interfaces
        self.gateway = gateway
        self.routes = routes
        self.floatingIPs = floatingIPs
        self.hasMetadata = hasMetadata
    }
}

/// A port of a router, with that port's id.
package struct RouterInterface: Hashable, Sendable, Codable {
    package var id: String
    package var network: String
    package var mac: MACAddress
    package var addresses: [InterfaceAddress]

    package init(id: String, network: String, mac: MACAddress, addresses: [InterfaceAddress]) {
        self.id = id
        self.network = network
        self.mac = mac
        self.addresses = addresses
    }
}

package struct InterfaceAddress: Hashable, Sendable, Codable {
    package var address: IPAddress
    /// The length of the network's prefix, in bits.
    package var length: Int

    package init(_ address: IPAddress, _ length: Int) {
        self.address = address
        self.length = length
    }

    package var prefix: IPPrefix { IPPrefix(address, length) }
    package var text: String { "\(address)/\(length)" }
}

package struct ExternalGateway: Hashable, Sendable, Codable {
    package var interface: RouterInterface
    /// The default routes, at most one for each IP version.
    package var nextHops: [IPAddress]
    /// Whether guests without a floating IP leave with the gateway's IPv4 address.
    package var hasSNAT: Bool

    package init(interface: RouterInterface, nextHops: [IPAddress] = [], hasSNAT: Bool = true) {
        self.interface = interface
        self.nextHops = nextHops
        self.hasSNAT = hasSNAT
    }
}

package struct FloatingIP: Hashable, Sendable, Codable {
    package var id: String
    package var external: IPAddress
    package var fixed: IPAddress

    package init(id: String, external: IPAddress, fixed: IPAddress) {
        self.id = id
        self.external = external
        self.fixed = fixed
    }
}
