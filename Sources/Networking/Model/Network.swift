import CloudCore
import HTTPKit
import Resources

/// A layer 2 network.
struct Network: NetworkingResource {
    typealias Noun = Kind.Network

    var id: ID<Noun> = ID("")
    var standard = Standard()
    var name = ""
    var isUp = true
    var status = "ACTIVE"
    var isExternal = false
    var isDefault = false
    var type = ""
    var physicalNetwork: String?
    var segmentID: Int64?
    var mtu: Int64 = 0
    var portSecurity = true
    var zoneHints: Listed<String> = []
    // These fields come from rows of other tables.
    var isShared = false
    var subnets: [String] = []
    var scopes: [IPAddress.Version: String] = [:]

    static let typeName = "Network"
    static let quota: String? = "network"
    static let otherFilters: Set<String> = ["shared"]

    static let schema = ResourceSchema<Network>(
        "network", "networks", table: "networking_network",
        [
            identity(\.id),
            name(\.name),
            Field("admin_state_up", \.isUp, .boolean, filter: .exact),
            Field(own: "status", \.status, filter: .exact),
            Field(unstored: "shared", \.isShared, .boolean),
            Field("router:external", \.isExternal, .boolean, filter: .exact, column: "is_external"),
            Field("is_default", \.isDefault, .boolean, filter: .exact),
            Field("provider:network_type", \.type, .string(0...32), filter: .exact, column: "type"),
            Field("provider:physical_network", \.physicalNetwork, .nullable(.string(0...64)), filter: .exact, column: "physical_network"),
            Field("provider:segmentation_id", \.segmentID, .nullable(.number), filter: .exact, column: "segment_id"),
            Field("mtu", \.mtu, .nullable(.integer(0...65_535)), filter: .exact),
            Field("port_security_enabled", \.portSecurity, .boolean),
            Field("availability_zone_hints", \.zoneHints, zoneHints, update: .unknown),
            Field("availability_zones", derived: { _ in [] }),
            Field("subnets", derived: { .array($0.subnets.map(JSON.string)) }),
            Field("ipv4_address_scope", derived: { $0.scopes[.v4].json }),
            Field("ipv6_address_scope", derived: { $0.scopes[.v6].json }),
        ] + standardFields(\.standard))
}
