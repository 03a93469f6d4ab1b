package import CloudCore

/// All that is wanted of one host's networks. Ids are what the control plane calls things; no name of the host is made of anything else.
package struct HostNetworkState: Hashable, StoredValue {
    package static let storedName = "agent.network-state"

    /// Only rises. A state with the same number as the last one is taken again.
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

/// A network as far as it reaches into this host.
package struct NetworkSpec: Hashable, Sendable, Codable {
    package var id: String
    package var mtu: Int
    package var segment: Segment
    package var subnets: [SubnetSpec]
    /// Who gives out addresses in it; nil: nobody on this host.
    package var service: DHCPService?

    package init(id: String, mtu: Int = 1500, segment: Segment = .local, subnets: [SubnetSpec] = [], service: DHCPService? = nil) {
        self.id = id
        self.mtu = mtu
        self.segment = segment
        self.subnets = subnets
        self.service = service
    }
}

/// How a network leaves the host.
package enum Segment: Hashable, Sendable, Codable {
    /// It does not.
    case local
    /// A bridge that the operator made and keeps, with the provider's network behind it.
    case provider(bridge: String)
    /// Through UDP to the other hosts that have ports in it. `remotePorts` says behind which of them a MAC address is.
    case vxlan(number: Int, local: IPAddress, peers: [IPAddress], remotePorts: [RemotePort])
    /// To the host itself, which has these addresses in it (the gateway's among them, with the subnet's length) and sends on with its own
    /// address what goes elsewhere: an external network that needs nothing of an operator's. Of one host alone.
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
    /// What routers advertise in it; nil: nothing. Of IPv6 alone.
    package var advertisement: IPv6Mode?
    /// How guests come to their addresses; nil: by themselves, or not at all. Of IPv6 alone: without it DHCP does not serve the subnet.
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

    /// Whether guests may ask in it for what DHCP tells.
    package var isServed: Bool { hasDHCP && (prefix.version == .v4 || addressing == .stateful || addressing == .stateless) }
    /// Whether they get their addresses so.
    package var givesAddresses: Bool { hasDHCP && (prefix.version == .v4 || addressing == .stateful) }
}

/// The values of OpenStack's `ipv6_ra_mode` and `ipv6_address_mode`.
package enum IPv6Mode: String, Hashable, Sendable, Codable {
    /// Guests make their addresses of the prefix.
    case slaac
    /// Addresses and all else from DHCP.
    case stateful = "dhcpv6-stateful"
    /// Addresses of the prefix, all else from DHCP.
    case stateless = "dhcpv6-stateless"
}

/// A port of the cloud's own in a network: DHCP is served from it, and metadata.
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
    /// Off: whatever the guest sends and is sent passes.
    package var isSecured: Bool
    package var groups: [String]
    /// The device that the machine's card ends in; made when it is not there. `NIC.tap` of the machine has the same name.
    package var tap: String
    package var isUp: Bool
    /// A user's text: given to the guest when it is a host's name, else one is made of the address.
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

    /// The tap's name that goes with a port's id: OpenStack's, of 14 characters.
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

/// Addresses beside the fixed ones that a guest may speak from.
package struct AddressPair: Hashable, Sendable, Codable {
    /// Nil: the port's own.
    package var mac: MACAddress?
    package var prefix: IPPrefix

    package init(_ prefix: IPPrefix, mac: MACAddress? = nil) {
        self.mac = mac
        self.prefix = prefix
    }
}

/// An option of DHCP that a user wants for a port: a number or a name, and a text that is the user's.
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
    /// Whether guests reach the metadata service by it: those of networks without DHCP know no other way.
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

/// A port of a router; the id is that port's.
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
    /// Bits of the network.
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
    /// One of each version at most: where what is in no other network goes.
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
