import CloudCore
import Resources
import SQL

/// A protocol as text: a name that `RuleProtocol` knows or a number; nil for all protocols. A body may send an integer.
struct ProtocolName: FieldValue, Hashable {
    var text: String?

    init(_ text: String? = nil) { self.text = text }

    var json: JSON { text.json }
    init?(json: JSON) {
        switch json {
        case .null: text = nil
        case .string(let name): text = name
        case .integer(let number): text = String(number)
        default: return nil
        }
    }
    var sql: SQLValue { text.sql }
    init?(sql: SQLValue) {
        guard let text = String?(sql: sql) else { return nil }
        self.text = text
    }
}

/// The protocols that rules can name (IANA's numbers; neutron-lib's names).
enum RuleProtocol {
    static let numbers: [String: Int] = [
        "ah": 51, "dccp": 33, "egp": 8, "esp": 50, "gre": 47, "hopopt": 0, "icmp": 1, "igmp": 2, "ip": 0, "ipip": 4, "ipv6-encap": 41,
        "ipv6-frag": 44, "ipv6-icmp": 58, "icmpv6": 58, "ipv6-nonxt": 59, "ipv6-opts": 60, "ipv6-route": 43, "ospf": 89, "pgm": 113,
        "rsvp": 46, "sctp": 132, "tcp": 6, "udp": 17, "udplite": 136, "vrrp": 112,
    ]
    private static let withPorts: Set<Int> = [6, 17, 33, 132, 136]
    private static let ofVersion6: Set<Int> = [41, 43, 44, 58, 59, 60]

    static func number(_ name: String) -> Int? { Int(name) ?? numbers[name] }

    /// Returns the one spelling of a protocol that a body names; nil for all protocols.
    ///
    /// - Throws: `SecurityGroupRuleInvalidProtocol` for a protocol that is unknown.
    static func read(_ text: String?) throws -> String? {
        guard let text, !["", "any"].contains(text.lowercased()) else { return nil }
        if let number = Int(text), (0...255).contains(number) { return String(number) == "0" ? nil : text }
        if numbers[text.lowercased()] != nil { return text.lowercased() == "ip" ? nil : text.lowercased() }
        throw CloudError.networking(
            .badRequest, "SecurityGroupRuleInvalidProtocol",
            "Security group rule protocol \(text) not supported. Only protocol values \(numbers.keys.sorted()) and integer representations [0 to 255] are supported.")
    }

    /// Checks a rule's match and returns it in the one form that is stored and shown.
    static func checked(_ given: RuleMatch) throws -> RuleMatch {
        var match = given
        match.proto = ProtocolName(try read(given.proto.text))
        guard let ethertype = ethertype(given.ethertype) else {
            throw CloudError.networking(
                .badRequest, "SecurityGroupRuleInvalidEtherType",
                "Security group rule for ethertype '\(given.ethertype)' not supported. Allowed values are ['IPv4', 'IPv6'].")
        }
        match.ethertype = ethertype
        for port in [match.portMin, match.portMax] {
            if let port, !(0...65_535).contains(port) {
                throw CloudError.networking(.badRequest, "SecurityGroupInvalidPortValue", "Invalid value for port \(port)")
            }
        }
        match = canonical(match)
        if [match.remotePrefix, match.remoteGroup, match.remoteAddressGroup].compactMap({ $0 }).count > 1 {
            throw CloudError.networking(
                .badRequest, "SecurityGroupMultipleRemoteEntites",
                "Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.")
        }
        try checkPorts(match)
        try checkPrefix(match)
        return match
    }

    static func ethertype(_ text: String) -> String? { ["IPv4", "IPv6"].first { $0.lowercased() == text.lowercased() } }

    /// Returns the canonical form of a valid match: ICMP under its name for the rule's IP version, the range of all
    /// ports as no ports, prefixes with their length.
    static func canonical(_ given: RuleMatch) -> RuleMatch {
        var match = given
        if match.ethertype == "IPv6" {
            switch match.proto.text {
            case "icmp", "icmpv6": match.proto = ProtocolName("ipv6-icmp")
            case "1": match.proto = ProtocolName("58")
            default: break
            }
        }
        if match.portMin == 1, match.portMax == 65_535 { (match.portMin, match.portMax) = (nil, nil) }
        match.remotePrefix = given.remotePrefix.flatMap { $0.isEmpty ? nil : prefix($0) ?? $0 }
        match.remoteGroup = given.remoteGroup.flatMap { $0.isEmpty ? nil : $0 }
        match.remoteAddressGroup = given.remoteAddressGroup.flatMap { $0.isEmpty ? nil : $0 }
        return match
    }

    /// Returns the text of a prefix with its length, also for a single address. Bits behind the length stay, as the
    /// reference shows them.
    static func prefix(_ text: String) -> String? {
        guard let prefix = IPPrefix(text, alone: true), let address = IPAddress(text.prefix { $0 != "/" }) else { return nil }
        return "\(address)/\(prefix.length)"
    }

    private static func checkPrefix(_ match: RuleMatch) throws {
        guard let text = match.remotePrefix else { return }
        guard let prefix = IPPrefix(text, alone: true) else {
            throw CloudError.networking(.badRequest, "InvalidCIDR", "Invalid CIDR \(text) given as IP prefix.")
        }
        guard (prefix.version == .v4) == (match.ethertype == "IPv4") else {
            throw CloudError.networking(
                .badRequest, "SecurityGroupRuleParameterConflict", "Conflicting value ethertype \(match.ethertype) for CIDR \(text)")
        }
    }

    private static func checkPorts(_ match: RuleMatch) throws {
        func refuse(_ type: String, _ message: String) -> CloudError { .networking(.badRequest, type, message) }
        let number = match.proto.text.flatMap(number)
        if let name = match.proto.text, let number, ofVersion6.contains(number), match.ethertype == "IPv4" {
            throw refuse("SecurityGroupEthertypeConflictWithProtocol", "Invalid ethertype IPv4 for protocol \(name).")
        }
        guard match.portMin != nil || match.portMax != nil else { return }
        guard let name = match.proto.text, let number else {
            throw refuse("SecurityGroupProtocolRequiredWithPorts", "Must also specify protocol if port range is given.")
        }
        if withPorts.contains(number) {
            for port in [match.portMin, match.portMax] where !(1...65_535).contains(port ?? 1) {
                throw refuse("SecurityGroupInvalidPortValue", "Invalid value for port \(port ?? 0)")
            }
            guard let least = match.portMin, let most = match.portMax, least <= most else {
                throw refuse("SecurityGroupInvalidPortRange", "For TCP/UDP protocols, port_range_min must be <= port_range_max")
            }
        } else if number == 1 || number == 58 {
            for (field, attribute, value) in [("type", "port_range_min", match.portMin), ("code", "port_range_max", match.portMax)] {
                if let value, !(0...255).contains(value) {
                    throw refuse("SecurityGroupInvalidIcmpValue", "Invalid value for ICMP \(field) (\(attribute)) \(value). It must be 0 to 255.")
                }
            }
            if match.portMin == nil, let code = match.portMax {
                throw refuse("SecurityGroupMissingIcmpType", "ICMP code (port-range-max) \(code) is provided but ICMP type (port-range-min) is missing.")
            }
        } else {
            throw refuse(
                "SecurityGroupInvalidProtocolForPort",
                "Ports cannot be specified for protocol \(name). Ports are only supported for tcp, udp, dccp, sctp, udplite, icmp, ipv6-icmp.")
        }
    }
}
