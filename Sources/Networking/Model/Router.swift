import CloudCore
import HTTPKit
import Resources

/// A router: it joins subnets, and its gateway connects them to an external network.
struct Router: NetworkingResource {
    enum Noun {}

    /// The connection to an external network.
    struct Gateway: Sendable, Hashable {
        var networkID: ID<Network.Noun>
        var snat: Bool
        var fixedIPs: [Port.FixedIP]

        var json: JSON {
            ["network_id": .string(networkID.text), "enable_snat": .bool(snat), "external_fixed_ips": .array(fixedIPs.map(\.json))]
        }
    }

    /// A body's request for a gateway.
    struct GatewayRequest: Sendable, Equatable {
        var networkID: ID<Network.Noun>
        var snat: Bool
        /// The wanted addresses on the external network; nil for any.
        var addresses: [AddressRequest]?

        private struct Members: Sendable, Equatable {
            var networkID: String?
            var snat: Bool?
            var addresses = Update<[AddressRequest]>.keep
        }

        /// The form of `external_gateway_info`; null and an empty object both remove the gateway.
        static let form = Form<Members?>.nullable(
            .object(
                Members(),
                [
                    .optional("network_id", \.networkID, .neutronID), .optional("enable_snat", \.snat, .boolean),
                    .optional("external_fixed_ips", \.addresses, AddressRequest.list().mapped { Update($0) }),
                ])
        ).mapped { given -> Update<GatewayRequest> in
            guard let given, given != Members() else { return .clear }
            guard let network = given.networkID else {
                throw CloudError.badRequest("Invalid input for external_gateway_info. Reason: network_id is required.")
            }
            var addresses: [AddressRequest]?
            given.addresses.apply(to: &addresses)
            return .set(GatewayRequest(networkID: ID(network), snat: given.snat ?? true, addresses: addresses))
        }
    }

    struct Input: ResourceInput {
        var gateway = Update<GatewayRequest>.keep
        var isDistributed: Bool?
        var isHighlyAvailable: Bool?
    }

    var id: ID<Noun> = ID("")
    var standard = Standard()
    var name = ""
    var isUp = true
    var status = "ACTIVE"
    var routes: Listed<HostRoute> = []
    var zoneHints: Listed<String> = []
    var gatewayPort: ID<Port.Noun>?
    var snat = true
    /// The name of the host that runs the router; empty until one is chosen.
    var host = ""
    /// The gateway, read from the gateway's port.
    var gateway: Gateway?

    static let typeName = "Router"
    static let quota: String? = "router"

    static let schema = ResourceSchema<Router>(
        "router", "routers", table: "networking_router",
        [
            identity(\.id), name(\.name),
            Field("admin_state_up", \.isUp, .boolean, filter: .exact),
            Field(own: "status", \.status, filter: .exact),
            Field("routes", \.routes, .list(), create: .unknown),
            Field("availability_zone_hints", \.zoneHints, zoneHints, update: .unknown),
            Field("availability_zones", derived: { _ in [] }),
            Field(own: "gw_port_id", \.gatewayPort, filter: .exact, shown: .never, column: "gateway_port_id"),
            Field(own: "snat", \.snat, shown: .never),
            Field(own: "host", \.host, shown: .never),
            Field(input: .optional("external_gateway_info", \.gateway, GatewayRequest.form)),
            Field("external_gateway_info", derived: { $0.gateway?.json ?? .null }),
            // Every router runs once, on the host of its gateway. The policy or the router's service refuses a body
            // that asks for anything else.
            Field("distributed", derived: { _ in false }),
            Field("ha", derived: { _ in false }),
            Field(input: .optional("distributed", \.isDistributed, .nullable(.boolean))),
            Field(input: .optional("ha", \.isHighlyAvailable, .nullable(.boolean))),
        ] + standardFields(\.standard))
}

/// An address of an external network that leads to a port behind a router.
struct FloatingIP: NetworkingResource {
    enum Noun {}

    struct Input: ResourceInput {
        /// The subnet of the address; nil for any.
        var subnetID: ID<Subnet.Noun>?
    }

    var id: ID<Noun> = ID("")
    var standard = Standard()
    var networkID: ID<Network.Noun> = ID("")
    var address: IPAddress?
    /// The port that holds the address on the external network.
    var ownPortID: ID<Port.Noun> = ID("")
    var portID: ID<Port.Noun>?
    var fixedAddress: IPAddress?
    var routerID: ID<Router.Noun>?
    var status = "DOWN"
    /// The facts about the port that the address leads to (`port_details`); null for none.
    var details: JSON = .null

    static let typeName = "FloatingIP"
    static let spokenName = "Floating IP"
    static let quota: String? = "floatingip"

    static let schema = ResourceSchema<FloatingIP>(
        "floatingip", "floatingips", table: "networking_floating_ip",
        [
            identity(\.id),
            Field("floating_network_id", \.networkID, .uuid, create: .required, update: .unknown, filter: .exact, column: "network_id"),
            Field("floating_ip_address", \.address, .nullable(.address), update: .unknown, filter: .exact, column: "address"),
            Field(own: "floating_port_id", \.ownPortID, filter: .exact, shown: .never, column: "own_port_id"),
            Field("port_id", \.portID, .nullable(.uuid), filter: .exact),
            Field("fixed_ip_address", \.fixedAddress, .nullable(.address), filter: .exact, column: "fixed_address"),
            Field(own: "router_id", \.routerID, filter: .exact),
            Field(own: "status", \.status, filter: .exact),
            Field(input: .optional("subnet_id", \.subnetID, .nullable(Form<String>.neutronID.mapped { ID($0) })), update: .unknown),
            Field("port_details", derived: { $0.details }),
        ] + standardFields(\.standard))
}
