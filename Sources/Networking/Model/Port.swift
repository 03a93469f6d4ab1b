import CloudCore
import HTTPKit
import Resources

/// The place where a device is plugged into a network.
struct Port: NetworkingResource {
    typealias Noun = Kind.Port

    /// An address that a port has on a subnet.
    struct FixedIP: Sendable, Hashable {
        var subnetID: ID<Subnet.Noun>
        var address: IPAddress
        var json: JSON { ["subnet_id": .string(subnetID.text), "ip_address": address.json] }
    }

    struct Input: ResourceInput {
        /// The requested addresses; nil lets the network choose.
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
    // These fields are stored in tables of their own.
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
            Field("extra_dhcp_opts", \.options, .list(Limits.thing.dhcpOptions.most), column: "dhcp_options"),
            Field("binding:host_id", \.shownHost, .nullable(.string(0...255)), filter: .exact, column: "host"),
            Field("binding:vnic_type", \.vnicType, .oneOf(vnicTypes), filter: .exact, column: "vnic_type"),
            Field("binding:profile", \.shownProfile, .nullable(.openObject), column: "profile"),
            Field("binding:vif_type", derived: { .string($0.vifType) }),
            Field("binding:vif_details", derived: { $0.host.isEmpty ? [:] : ["port_filter": true] }),
            Field(input: .optional("fixed_ips", \.addresses, AddressRequest.list(Limits.thing.fixedIPs.most))),
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

    /// The kind of virtual interface on the hypervisor; `unbound` as long as the port has no host.
    var vifType: String { host.isEmpty ? "unbound" : "bridge" }
    /// Whether the port belongs to a router or a floating IP; the API of ports cannot delete it.
    var isOfRouter: Bool { Self.routerOwners.contains(deviceOwner) }
    var isOfCloud: Bool { deviceOwner.hasPrefix("network:") }

    /// Returns the status of a port that was just bound. A bound port stays `BUILD` until its host reports it.
    ///
    /// - Parameter host: the name of the host; empty for none.
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
    /// The owners of ports that are deleted with their network without a question.
    static let automaticOwners: Set<String> = [dhcp, "network:distributed"]
}
