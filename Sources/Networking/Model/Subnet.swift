import CloudCore
import HTTPKit
import Resources

/// A range of addresses on a network.
struct Subnet: NetworkingResource {
    typealias Noun = Kind.Subnet

    struct Input: ResourceInput {
        /// The length of the prefix that a pool is to give, in bits; nil for the pool's default.
        var prefixLength: Int64?
        var usesDefaultPool = false
    }

    var id: ID<Noun> = ID("")
    var standard = Standard()
    var name = ""
    var networkID: ID<Network.Noun> = ID("")
    var version: Int64 = 4
    /// The prefix. Every row has one; a body may leave it to a subnet pool.
    var cidr: IPPrefix?
    var gateway: IPAddress?
    var pools: Listed<AddressRange> = []
    var nameservers: Listed<IPAddress> = []
    var routes: Listed<HostRoute> = []
    var hasDHCP = true
    var advertisement: String?
    var addressMode: String?
    var poolID: ID<SubnetPool.Noun>?
    var serviceTypes: Listed<String> = []
    /// Whether the subnet's network is external.
    var isExternal = false

    static let typeName = "Subnet"
    static let quota: String? = "subnet"
    static let otherFilters: Set<String> = ["shared", "router:external"]
    static let modes = Shape.nullable(.oneOf(["slaac", "dhcpv6-stateful", "dhcpv6-stateless"]))

    static let schema = ResourceSchema<Subnet>(
        "subnet", "subnets", table: "networking_subnet",
        [
            identity(\.id),
            name(\.name),
            Field("network_id", \.networkID, .uuid, create: .required, update: .unknown, filter: .exact),
            Field("ip_version", \.version, .integer(4...6), create: .required, update: .unknown, filter: .exact),
            Field("cidr", \.cidr, .nullable(.address), update: .unknown, filter: .exact),
            Field(input: .optional("prefixlen", \.prefixLength, .nullable(.integer(0...128))), update: .unknown),
            Field(input: .optional("use_default_subnetpool", \.usesDefaultPool, .boolean), update: .unknown),
            Field("subnetpool_id", \.poolID, .nullable(.string(0...64)), update: .unknown, filter: .exact, column: "subnetpool_id"),
            Field("gateway_ip", \.gateway, .nullable(.address), filter: .exact),
            Field("allocation_pools", \.pools, .list(Limits.thing.allocationPools.most)),
            Field("dns_nameservers", \.nameservers, .list()),
            Field("host_routes", \.routes, .list()),
            Field("enable_dhcp", \.hasDHCP, .boolean, filter: .exact),
            Field("ipv6_ra_mode", \.advertisement, modes, update: .unknown, filter: .exact),
            Field("ipv6_address_mode", \.addressMode, modes, update: .unknown, filter: .exact),
            Field("service_types", \.serviceTypes, .list(Limits.thing.serviceTypes.most)),
            Field("router:external", derived: { .bool($0.isExternal) }),
        ] + standardFields(\.standard))

    /// Whether guests form their addresses themselves, from the prefix and their MAC address.
    var isAutomatic: Bool { addressMode == "slaac" || addressMode == "dhcpv6-stateless" }

    /// Tells whether a port with the owner may take its address here if it names no subnet.
    func serves(_ owner: String) -> Bool { serviceTypes.items.isEmpty || serviceTypes.items.contains { owner.hasPrefix($0) } }
}
