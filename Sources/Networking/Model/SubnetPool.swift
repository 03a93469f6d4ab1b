import CloudCore
import HTTPKit
import Resources
import SQL

/// Prefixes from which subnets are cut.
struct SubnetPool: NetworkingResource {
    enum Noun {}

    var id: ID<Noun> = ID("")
    var standard = Standard()
    var name = ""
    var version: Int64 = 4
    var prefixes: Listed<IPPrefix> = []
    var quotaOfProject: Int64?
    var usualLength: Int64 = 0
    var leastLength: Int64 = 0
    var mostLength: Int64 = 0
    var isDefault = false
    var scopeID: ID<AddressScope.Noun>?
    var isShared = false

    static let typeName = "SubnetPool"
    static let spokenName = "Subnet pool"
    static let quota: String? = "subnetpool"
    static let otherFilters: Set<String> = ["shared"]

    static let schema = ResourceSchema<SubnetPool>(
        "subnetpool", "subnetpools", table: "networking_subnet_pool",
        [
            identity(\.id), name(\.name, .string(1...255, .notBlank), create: .required),
            Field(own: "ip_version", \.version, filter: .exact),
            Field("prefixes", \.prefixes, .array(.any, 0...Limits.thing.scopePrefixes.most), create: .required),
            Field("default_quota", \.quotaOfProject, .nullable(.integer(0...Int64.max)), filter: .exact),
            Field("default_prefixlen", \.shownUsual, .integer(0...128), filter: .exact),
            Field("min_prefixlen", \.shownLeast, .integer(0...128), filter: .exact),
            Field("max_prefixlen", \.shownMost, .integer(0...128), filter: .exact),
            Field("is_default", \.isDefault, .boolean, filter: .exact),
            Field("address_scope_id", \.scopeID, .nullable(.uuid), filter: .exact),
            Field(unstored: "shared", \.isShared, .boolean, update: .unknown),
        ] + standardFields(\.standard))

    var shownUsual: PrefixLength {
        get { PrefixLength(usualLength) }
        set { usualLength = newValue.bits }
    }
    var shownLeast: PrefixLength {
        get { PrefixLength(leastLength) }
        set { leastLength = newValue.bits }
    }
    var shownMost: PrefixLength {
        get { PrefixLength(mostLength) }
        set { mostLength = newValue.bits }
    }
}

/// The length of a prefix: a number in bodies and a text in responses, as the reference writes it.
struct PrefixLength: FieldValue {
    let bits: Int64

    init(_ bits: Int64) { self.bits = bits }
    var json: JSON { .string(String(bits)) }
    init?(json: JSON) {
        guard let bits = json.integer ?? json.string.flatMap({ Int64($0) }) else { return nil }
        self.bits = bits
    }
    var sql: SQLValue { bits.sql }
    init?(sql: SQLValue) {
        guard let bits = Int64(sql: sql) else { return nil }
        self.bits = bits
    }
    static var sqlNothing: String { Int64.sqlNothing }
    static func sql(filter text: String) -> SQLValue? { Int64.sql(filter: text) }
}

/// A set of subnet pools whose addresses do not overlap, so that a router between their subnets needs no NAT.
struct AddressScope: NetworkingResource {
    enum Noun {}

    var id: ID<Noun> = ID("")
    var standard = Standard()
    var name = ""
    var version: Int64 = 4
    var isShared = false

    static let typeName = "AddressScope"
    static let spokenName = "Address scope"
    static let quota: String? = "address_scope"
    static let otherFilters: Set<String> = ["shared"]
    static let hasTags = false

    static let schema = ResourceSchema<AddressScope>(
        "address_scope", "address_scopes", table: "networking_address_scope",
        [
            identity(\.id), name(\.name),
            Field("ip_version", \.version, .integer(4...6), create: .required, update: .unknown, filter: .exact),
            Field(unstored: "shared", \.isShared, .boolean),
        ] + [Field("project_id", \.standard.projectID, .string(0...255), update: .unknown, filter: .exact),
             Field("tenant_id", derived: { .string($0.standard.projectID) })])
}

/// A permission for other projects to use a resource.
struct RBACPolicy: NetworkingResource {
    enum Noun {}

    var id: ID<Noun> = ID("")
    var standard = Standard()
    var objectType = ""
    var objectID = ""
    var action = ""
    /// A project's id, or `*` for all projects.
    var target = ""

    static let typeName = "RbacPolicy"
    static let spokenName = "RBAC policy"
    static let quota: String? = "rbac_policy"
    static let hasTags = false
    static let everybody = "*"
    static let shared = "access_as_shared"
    static let external = "access_as_external"

    static let schema = ResourceSchema<RBACPolicy>(
        "rbac_policy", "rbac_policies", table: "networking_rbac_policy",
        [
            identity(\.id),
            Field("object_type", \.objectType, .string(1...255), create: .required, update: .unknown, filter: .exact),
            Field("object_id", \.objectID, .uuid, create: .required, update: .unknown, filter: .exact),
            Field("action", \.action, .string(1...255), create: .required, update: .unknown, filter: .exact),
            Field("target_tenant", \.target, .string(1...255), create: .required, filter: .exact, column: "target"),
            Field("project_id", \.standard.projectID, .string(0...255), update: .unknown, filter: .exact),
            Field("tenant_id", derived: { .string($0.standard.projectID) }),
        ])
}
