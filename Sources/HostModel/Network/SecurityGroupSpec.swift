package import CloudCore

/// A group of rules that only allow. Traffic that no group of a port allows is dropped; replies to allowed traffic
/// pass.
package struct SecurityGroupSpec: Hashable, Sendable, Codable {
    package var id: String
    package var rules: [SecurityRule]
    /// The addresses of all ports in the group, on any host. A rule that names this group as its remote means these.
    package var members: [IPPrefix]

    package init(id: String, rules: [SecurityRule] = [], members: [IPPrefix] = []) {
        self.id = id
        self.rules = rules
        self.members = members
    }
}

package struct AddressGroupSpec: Hashable, Sendable, Codable {
    package var id: String
    package var prefixes: [IPPrefix]

    package init(id: String, prefixes: [IPPrefix]) {
        self.id = id
        self.prefixes = prefixes
    }
}

package struct SecurityRule: Hashable, Sendable, Codable {
    package enum Direction: String, Hashable, Sendable, Codable, CaseIterable {
        case ingress, egress
    }

    package enum Remote: Hashable, Sendable, Codable {
        case anybody
        case prefix(IPPrefix)
        case group(String)
        case addressGroup(String)
    }

    package var id: String
    package var direction: Direction
    package var version: IPAddress.Version
    /// IANA's number; nil for all protocols.
    package var proto: UInt8?
    /// The destination ports; nil for all. Only for protocols that have ports.
    package var ports: PortRange?
    /// The type; only for ICMP and ICMPv6.
    package var icmpType: UInt8?
    /// The code; only together with a type.
    package var icmpCode: UInt8?
    package var remote: Remote

    package init(
        id: String, _ direction: Direction, _ version: IPAddress.Version = .v4, proto: UInt8? = nil, ports: PortRange? = nil,
        icmpType: UInt8? = nil, icmpCode: UInt8? = nil, remote: Remote = .anybody
    ) {
        self.id = id
        self.direction = direction
        self.version = version
        self.proto = proto
        self.ports = ports
        self.icmpType = icmpType
        self.icmpCode = icmpCode
        self.remote = remote
    }

    /// The reason why the rule is invalid; nil for a valid rule. An invalid rule allows nothing.
    package var fault: String? {
        if ports != nil, proto.map({ IPProtocol.withPorts.contains($0) }) != true { return "ports of a protocol that has none" }
        if let ports, ports.first > ports.last { return "a range of ports that ends before it begins" }
        if icmpType != nil || icmpCode != nil, proto != (version == .v4 ? IPProtocol.icmp : IPProtocol.icmp6) {
            return "an ICMP type of another protocol"
        }
        if icmpCode != nil, icmpType == nil { return "an ICMP code without a type" }
        if case .prefix(let prefix) = remote, prefix.version != version { return "a remote of the other version of IP" }
        return nil
    }
}

package struct PortRange: Hashable, Sendable, Codable {
    package var first: UInt16
    package var last: UInt16

    package init(_ first: UInt16, _ last: UInt16) {
        self.first = first
        self.last = last
    }

    package init(_ only: UInt16) { self.init(only, only) }

    package func contains(_ port: UInt16) -> Bool { first <= port && port <= last }
}

/// IANA's protocol numbers.
package enum IPProtocol {
    package static let icmp: UInt8 = 1
    package static let tcp: UInt8 = 6
    package static let udp: UInt8 = 17
    package static let dccp: UInt8 = 33
    package static let icmp6: UInt8 = 58
    package static let sctp: UInt8 = 132
    package static let udplite: UInt8 = 136

    package static let withPorts: Set<UInt8> = [tcp, udp, dccp, sctp, udplite]
}
