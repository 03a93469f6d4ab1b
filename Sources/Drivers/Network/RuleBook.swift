package import CloudCore
package import HostModel

/// A flow, from the point of view of the side that began it.
package struct FlowKey: Hashable, Sendable {
    package var source: IPAddress
    package var destination: IPAddress
    package var proto: UInt8
    package var sourcePort: UInt16
    /// The destination port; for ICMP, the type in the upper byte and the code in the lower one.
    package var destinationPort: UInt16

    package init(_ source: IPAddress, _ destination: IPAddress, proto: UInt8, from sourcePort: UInt16 = 0, to destinationPort: UInt16 = 0) {
        self.source = source
        self.destination = destination
        self.proto = proto
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
    }

    package var icmpType: UInt8 { UInt8(truncatingIfNeeded: destinationPort >> 8) }
    package var icmpCode: UInt8 { UInt8(truncatingIfNeeded: destinationPort) }
}

/// The meaning of the security groups of a state, independent of how a kernel is told of them.
package struct RuleBook: Sendable {
    private let groups: [String: SecurityGroupSpec]
    private let addressGroups: [String: [IPPrefix]]

    package init(_ state: HostNetworkState) {
        groups = Dictionary(state.groups.map { ($0.id, $0) }) { first, _ in first }
        addressGroups = Dictionary(state.addressGroups.map { ($0.id, $0.prefixes) }) { first, _ in first }
    }

    /// Returns the prefixes of a remote; nil for a group that does not exist.
    package func prefixes(of remote: SecurityRule.Remote) -> [IPPrefix]? {
        switch remote {
        case .anybody: []
        case .prefix(let prefix): [prefix]
        case .group(let id): groups[id]?.members
        case .addressGroup(let id): addressGroups[id]
        }
    }

    /// Returns whether a new flow may leave the port (`egress`) or come to it (`ingress`).
    package func allows(_ port: PortSpec, _ direction: SecurityRule.Direction, _ flow: FlowKey) -> Bool {
        guard port.isSecured else { return true }
        if Self.isAlwaysAllowed(direction, flow) { return true }
        let peer = direction == .egress ? flow.destination : flow.source
        return port.groups.contains { id in
            (groups[id]?.rules ?? []).contains { rule in
                rule.direction == direction && rule.version == flow.source.version && rule.fault == nil && matches(rule, flow)
                    && isPeer(peer, of: rule)
            }
        }
    }

    private func isPeer(_ peer: IPAddress, of rule: SecurityRule) -> Bool {
        if rule.remote == .anybody { return true }
        return prefixes(of: rule.remote)?.contains { $0.contains(peer) } ?? false
    }

    private func matches(_ rule: SecurityRule, _ flow: FlowKey) -> Bool {
        guard let proto = rule.proto else { return true }
        guard proto == flow.proto else { return false }
        if let ports = rule.ports { return ports.contains(flow.destinationPort) }
        if let type = rule.icmpType { return type == flow.icmpType && (rule.icmpCode ?? flow.icmpCode) == flow.icmpCode }
        return true
    }

    /// Returns whether the flow is one that a guest needs to get an address. Such a flow passes whatever the groups
    /// say.
    package static func isAlwaysAllowed(_ direction: SecurityRule.Direction, _ flow: FlowKey) -> Bool {
        let ports = (flow.sourcePort, flow.destinationPort)
        switch (flow.source.version, flow.proto) {
        case (.v4, IPProtocol.udp): return ports == (direction == .egress ? (68, 67) : (67, 68))
        case (.v6, IPProtocol.udp): return ports == (direction == .egress ? (546, 547) : (547, 546))
        case (.v6, IPProtocol.icmp6): return (direction == .egress ? neighbourTypesOut : neighbourTypesIn).contains(flow.icmpType)
        default: return false
        }
    }

    /// The ICMPv6 types of neighbour discovery and multicast membership (RFC 4861, 2710, 3810), from a guest and to
    /// one.
    package static let neighbourTypesOut: [UInt8] = [131, 132, 133, 135, 136, 143]
    package static let neighbourTypesIn: [UInt8] = [130, 131, 132, 134, 135, 136]
}
