import CloudCore
import HostModel

/// What a host must have, in the host's own words. Made by `PlanCompiler` from a state and nothing else; carried out by `Converger`.
struct HostPlan: Hashable, Sendable {
    var bridges: [BridgePlan] = []
    var taps: [TapPlan] = []
    var namespaces: [NamespacePlan] = []
    /// The packet filter of the host's own namespace, as one transaction.
    var filter = ""
    /// The zone of each network's connections; what is the provider's or ends on the host has none.
    var zones: [String: Int] = [:]
    var problems: [NetworkProblem] = []
}

struct BridgePlan: Hashable, Sendable {
    var network: String
    var name: String
    var mtu: Int
    /// False: the operator made it and keeps it.
    var isOwn: Bool
    /// The host's own in it; only of a network that ends on the host.
    var addresses: [InterfaceAddress] = []
    var isRouted = false
    var tunnel: TunnelPlan?
}

struct TunnelPlan: Hashable, Sendable {
    var name: String
    var number: Int
    var local: IPAddress
    /// `MAC address` → hosts; frames to all go by the address of zeros.
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
    /// Addresses that no network knows, reached from all of them.
    var loopback: [InterfaceAddress] = []
    var routes: [RoutePlan] = []
    /// The address translation and what must not pass, as one transaction; empty: none.
    var translation = ""
    /// Of a router: the advertisements for IPv6.
    var dhcp: DHCPPlan?

    var subject: NetworkProblem.Subject { if case .router = owner { .router } else { .network } }
    var id: String {
        switch owner {
        case .network(let id), .router(let id): id
        }
    }
    var isRouter: Bool { subject == .router }
}

/// A pair of devices from a bridge into a namespace.
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
    /// All that the program is started with.
    var arguments: [String]
    var hosts: String
    var options: String
}
