import CloudCore
import HTTPKit
import Resources

/// A place where something is plugged into a network.
struct Port: NetworkingResource {
    typealias Noun = Kind.Port

    /// An address of a subnet that a port has.
    struct FixedIP: Sendable, Hashable {
        var subnetID: ID<Subnet.Noun>
        var address: IPAddress
        var json: JSON { ["subnet_id": .string(subnetID.text), "ip_address": address.json] }
    }

    struct Input: ResourceInput {
        /// The addresses that are asked for; nil for the network's choice.
        var addresses: [AddressRequest]?
        var groups: [String]?
    }

    var id: ID<Noun> = ID("")
    var standard = Standard()
    var name = ""
    var networkID: ID<Network.Noun> = ID("")
    var isUp = true
    var mac: MACAddress?
    var deviceID = ""
    var deviceOwner = ""
    var status = "DOWN"
    var portSecurity = true
    var pairs: Listed<AddressPair> = []
    var options: Listed<DHCPOption> = []
    var host = ""
    var vnicType = "normal"
    var profile: JSONObject?
    // Of tables of their own.
    var fixedIPs: [FixedIP] = []
    var securityGroups: [String] = []

    static let typeName = "Port"
    static let quota: String? = "port"
    static let otherFilters: Set<String> = ["fixed_ips", "security_groups"]

    static let schema = ResourceSchema<Port>(
        "port", "ports", table: "networking_port",
        [
            identity(\.id),
            name(\.name),
            Field("network_id", \.networkID, .uuid, create: .required, update: .unknown, filter: .exact),
            Field("admin_state_up", \.isUp, .boolean, filter: .exact),
            Field("mac_address", \.mac, .nullable(.address), filter: .exact),
            Field("device_id", \.deviceID, .string(0...255), filter: .exact),
            Field("device_owner", \.deviceOwner, .string(0...255), filter: .exact),
            Field(own: "status", \.status, filter: .exact),
            Field("port_security_enabled", \.portSecurity, .boolean, column: "port_security"),
            Field("allowed_address_pairs", \.pairs, .list(), column: "address_pairs"),
            Field("extra_dhcp_opts", \.options, .list(64), column: "dhcp_options"),
            Field("binding:host_id", \.shownHost, .nullable(.string(0...255)), filter: .exact, column: "host"),
            Field("binding:vnic_type", \.vnicType, .oneOf(vnicTypes), filter: .exact, column: "vnic_type"),
            Field("binding:profile", \.shownProfile, .nullable(.openObject), column: "profile"),
            Field("binding:vif_type", derived: { .string($0.vifType) }),
            Field("binding:vif_details", derived: { $0.host.isEmpty ? [:] : ["port_filter": true] }),
            Field(input: .optional("fixed_ips", \.addresses, AddressRequest.list(64))),
            Field("fixed_ips", derived: { .array($0.fixedIPs.map(\.json)) }),
            Field(input: .optional("security_groups", \.groups, .uuids)),
            Field("security_groups", derived: { .array($0.securityGroups.map(JSON.string)) }),
        ] + standardFields(\.standard))

    private static let vnicTypes = [
        "normal", "direct", "macvtap", "baremetal", "direct-physical", "virtio-forwarder", "smart-nic", "vdpa", "accelerator-direct",
        "accelerator-direct-physical", "remote-managed",
    ]

    private var shownHost: String? {
        get { host }
        set { host = newValue ?? "" }
    }
    private var shownProfile: JSONObject? {
        get { profile ?? [:] }
        set { profile = newValue }
    }

    /// How a hypervisor plugs in; nothing is known before there is a host.
    var vifType: String { host.isEmpty ? "unbound" : "bridge" }
    /// Whether the cloud itself made it: its API does not take it away.
    var isOfRouter: Bool { Self.routerOwners.contains(deviceOwner) }
    var isOfCloud: Bool { deviceOwner.hasPrefix("network:") }

    /// - Parameter host: empty for none. A host says when what it has of the port is as it should be.
    static func status(boundTo host: String) -> String { host.isEmpty ? down : build }

    static let active = "ACTIVE"
    static let build = "BUILD"
    static let down = "DOWN"
    static let failed = "ERROR"

    static let dhcp = "network:dhcp"
    static let routerInterface = "network:router_interface"
    static let routerGateway = "network:router_gateway"
    static let floatingIP = "network:floatingip"
    static let routerOwners: Set<String> = [routerInterface, routerGateway, floatingIP]
    /// What is taken away with its network without asking.
    static let automaticOwners: Set<String> = [dhcp, "network:distributed"]
}
