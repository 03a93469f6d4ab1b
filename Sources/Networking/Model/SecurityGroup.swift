import CloudCore
import HTTPKit
import Resources

/// A group of rules for the traffic to and from ports.
struct SecurityGroup: NetworkingResource {
    typealias Noun = Kind.SecurityGroup

    var id: ID<Noun> = ID("")
    var standard = Standard()
    var name = ""
    var isStateful = true
    /// Whether the group is its project's default, which ports have unless they name others. Each project has one.
    var isDefault = false
    // These fields come from other tables.
    var rules: [SecurityGroupRule] = []
    var isShared = false

    static let typeName = "SecurityGroup"
    static let spokenName = "Security group"
    static let quota: String? = "security_group"
    static let otherFilters: Set<String> = ["shared"]

    static let schema = ResourceSchema<SecurityGroup>(
        "security_group", "security_groups", table: "networking_security_group",
        [
            identity(\.id),
            name(\.name),
            Field("stateful", \.isStateful, .boolean, filter: .exact),
            Field("is_default", \.isDefault, .boolean, create: .unknown, update: .unknown, filter: .exact, shown: .never),
            Field("security_group_rules", derived: { .array($0.rules.map(\.json)) }),
            Field("shared", derived: { .bool($0.isShared) }),
        ] + standardFields(\.standard))
}

/// One kind of traffic that a security group allows.
struct SecurityGroupRule: MatchingRule {
    enum Noun {}

    var id: ID<Noun> = ID("")
    var standard = Standard()
    var groupID: ID<SecurityGroup.Noun> = ID("")
    var match = RuleMatch()
    var isOfDefaultGroup = false

    static let typeName = "SecurityGroupRule"
    static let spokenName = "Security group rule"
    static let quota: String? = "security_group_rule"
    static let otherFilters: Set<String> = ["belongs_to_default_sg", "normalized_cidr"]
    static let sortedAs = ["tenant_id": "project_id", "normalized_cidr": "remote_ip_prefix"]
    static let hasTags = false

    static let schema = ResourceSchema<SecurityGroupRule>(
        "security_group_rule", "security_group_rules", table: "networking_security_group_rule",
        [
            identity(\.id),
            Field("security_group_id", \.groupID, .uuid, create: .required, update: .unknown, filter: .exact),
        ] + matchFields()
            + [
                Field("normalized_cidr", derived: { $0.match.remotePrefix.flatMap { IPPrefix($0, alone: true) }.json }),
                Field("belongs_to_default_sg", derived: { .bool($0.isOfDefaultGroup) }),
            ] + standardFields(\.standard))

    var json: JSON {
        .object(JSONObject(Self.schema.fields.filter { $0.shown != .never }.map { ($0.name, $0.json(self)) }))
    }
}

/// A rule with which new security groups begin.
struct DefaultSecurityGroupRule: MatchingRule {
    enum Noun {}

    var id: ID<Noun> = ID("")
    var standard = Standard()
    var match = RuleMatch()
    var isForDefault = false
    var isForOthers = true

    static let typeName = "DefaultSecurityGroupRule"
    static let spokenName = "Default security group rule"
    static let hasTags = false
    /// The remote group that stands for the group in which the rule is created.
    static let parent = "PARENT"

    static let schema = ResourceSchema<DefaultSecurityGroupRule>(
        "default_security_group_rule", "default_security_group_rules", table: "networking_default_rule",
        [identity(\.id)] + matchFields()
            + [
                Field("used_in_default_sg", \.isForDefault, .boolean, update: .unknown, filter: .exact),
                Field("used_in_non_default_sg", \.isForOthers, .boolean, update: .unknown, filter: .exact),
                Field("description", \.standard.description, .string(0...255), filter: .exact),
            ])
}

/// The traffic to which a rule applies.
struct RuleMatch: Sendable, Hashable {
    var direction = ""
    var ethertype = "IPv4"
    var proto = ProtocolName()
    /// The lowest port, or the ICMP type.
    var portMin: Int64?
    /// The highest port, or the ICMP code.
    var portMax: Int64?
    var remotePrefix: String?
    var remoteGroup: String?
    var remoteAddressGroup: String?

    /// The form by which two rules are compared: it is equal for all spellings of the same traffic. Rows of older
    /// releases hold spellings that are no longer stored.
    var meaning: RuleMatch {
        var meaning = RuleProtocol.canonical(self)
        meaning.proto = ProtocolName(meaning.proto.text.map { name in RuleProtocol.number(name).map(String.init) ?? name })
        if let prefix = meaning.remotePrefix.flatMap({ IPPrefix($0, alone: true) }), prefix.length == 0 { meaning.remotePrefix = nil }
        return meaning
    }
}

/// A noun that has a `RuleMatch` and shows it.
protocol MatchingRule: NetworkingResource {
    var match: RuleMatch { get set }
}

extension MatchingRule {
    /// Returns a filter's text as rules spell it.
    static func written(_ text: String, of field: String) -> String {
        switch field {
        case "ethertype": RuleProtocol.ethertype(text) ?? text
        case "remote_ip_prefix": RuleProtocol.prefix(text) ?? text
        case "protocol": text.lowercased()
        default: text
        }
    }

    static func matchFields() -> [Field<Self>] {
        [
            Field("direction", \.match.direction, .oneOf(["ingress", "egress"]), create: .required, update: .unknown, filter: .exact),
            Field("ethertype", \.match.ethertype, .string(0...16), update: .unknown, filter: .exact),
            Field("protocol", \.match.proto, .any, update: .unknown, filter: .exact),
            Field("port_range_min", \.match.portMin, .nullable(.number), update: .unknown, filter: .exact),
            Field("port_range_max", \.match.portMax, .nullable(.number), update: .unknown, filter: .exact),
            Field("remote_ip_prefix", \.match.remotePrefix, .nullable(.string(0...64)), update: .unknown, filter: .exact),
            Field("remote_group_id", \.match.remoteGroup, .nullable(.string(0...64)), update: .unknown, filter: .exact),
            Field("remote_address_group_id", \.match.remoteAddressGroup, .nullable(.string(0...64)), update: .unknown, filter: .exact),
        ]
    }
}

/// A named list of addresses that rules can refer to.
struct AddressGroup: NetworkingResource {
    enum Noun {}

    var id: ID<Noun> = ID("")
    var standard = Standard()
    var name = ""
    var addresses: Listed<IPPrefix> = []
    var isShared = false

    static let typeName = "AddressGroup"
    static let spokenName = "Address group"
    static let otherFilters: Set<String> = ["shared"]
    static let quota: String? = "address_group"
    /// The most rows of a page; each group has up to a thousand addresses.
    static let mostInPage: Int? = Limits.list.heavyPage.most

    static let schema = ResourceSchema<AddressGroup>(
        "address_group", "address_groups", table: "networking_address_group",
        [
            identity(\.id), name(\.name),
            Field("addresses", \.addresses, .list(), update: .unknown),
            Field("shared", derived: { .bool($0.isShared) }),
        ] + standardFields(\.standard))
}
