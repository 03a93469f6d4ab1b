import CloudCore
import HostModel

/// The devices, namespaces and packet filter that a host must have. `PlanCompiler` derives it from a state; `Converger`
/// carries it out.
struct HostPlan: Hashable, Sendable {
    var bridges: [BridgePlan] = []
    var taps: [TapPlan] = []
    var namespaces: [NamespacePlan] = []
    /// The packet filter of the host's own namespace, as one transaction.
    var filter = ""
    /// The zone of connection tracking by network id. Networks of a provider's bridge, and networks that end on the
    /// host, have no zone.
    var zones: [String: Int] = [:]
    var problems: [NetworkProblem] = []
}

struct BridgePlan: Hashable, Sendable {
    var network: String
    var name: String
    var mtu: Int
    /// Whether the driver makes and removes the bridge. Otherwise it belongs to the operator.
    var isOwn: Bool
    /// The host's own addresses in the network. Only a network that ends on the host has any.
    var addresses: [InterfaceAddress] = []
    var isRouted = false
    var tunnel: TunnelPlan?
}

struct TunnelPlan: Hashable, Sendable {
    var name: String
    var number: Int
    var local: IPAddress
    /// The hosts to which frames are sent, by MAC address. The address of zeros stands for frames to all hosts.
    var forwarding: [ForwardingEntry]
}

struct ForwardingEntry: Hashable, Sendable, Comparable {
    var mac: String
    var host: String

    static func < (left: Self, right: Self) -> Bool { (left.mac, left.host) < (right.mac, right.host) }
}

struct TapPlan: Hashable, Sendable {
    var port: String
    var name: String
    var bridge: String
    var mtu: Int
    var isUp: Bool
}

struct NamespacePlan: Hashable, Sendable {
    enum Owner: Hashable, Sendable {
        case network(String)
        case router(String)
    }

    var owner: Owner
    var name: String
    var links: [LinkPlan]
    /// Addresses that belong to no network and are reachable from all networks of the namespace.
    var loopback: [InterfaceAddress] = []
    var routes: [RoutePlan] = []
    /// The address translation and the blocked packets, as one transaction; empty if there is none.
    var translation = ""
    /// The dnsmasq of the namespace. In a router's namespace it only sends advertisements for IPv6.
    var dhcp: DHCPPlan?

    var subject: NetworkProblem.Subject { if case .router = owner { .router } else { .network } }
    var id: String {
        switch owner {
        case .network(let id), .router(let id): id
        }
    }
    var isRouter: Bool { subject == .router }
}

/// A pair of devices that connects a bridge with a namespace.
struct LinkPlan: Hashable, Sendable {
    var outer: String
    var inner: String
    var bridge: String
    var mac: MACAddress
    var mtu: Int
    var addresses: [InterfaceAddress]
}

struct RoutePlan: Hashable, Sendable {
    var destination: IPPrefix
    var nextHop: IPAddress
}

struct DHCPPlan: Hashable, Sendable {
    /// All arguments with which dnsmasq is started.
    var arguments: [String]
    var hosts: String
    var options: String
}
