import CloudCore
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

@Suite("Routers and floating IPs")
struct RouterTests {
    /// An external network, and a member's network behind the member's router.
    private struct Stage {
        let admin: NetworkingClient
        let member: NetworkingClient
        let external: String
        let network: String
        let subnet: String
        let router: String

        static func run(_ body: (TestCloud, Stage) async throws -> Void) async throws {
            try await NetworkingClient.run { try await body($0, try await Stage($1, $2)) }
        }

        private init(_ admin: NetworkingClient, _ member: NetworkingClient) async throws {
            self.admin = admin
            self.member = member
            (external, _) = try await admin.network("external", cidr: "203.0.113.0/24", ["router:external": true])
            (network, subnet) = try await member.network("private", cidr: "10.0.0.0/24")
            let made = try await member.make("router", ["name": "r", "external_gateway_info": ["network_id": .string(external)]])
            router = made.id
            #expect(made["external_gateway_info"]?["network_id"] == .string(external))
            #expect(made["external_gateway_info"]?["enable_snat"] == true)
            let plugged = await member.send(.put, "/routers/\(router)/add_router_interface", ["subnet_id": .string(subnet)])
            try #require(plugged.status == .ok, "\(plugged.text)")
            #expect(plugged.json["subnet_ids"] == [.string(subnet)])
        }
    }

    @Test("A floating IP belongs to a port until it is moved away or the port is deleted")
    func floating() async throws {
        try await Stage.run { _, stage in
            let member = stage.member
            let port = try await member.port(stage.network)
            let floating = try await member.make("floatingip", ["floating_network_id": .string(stage.external), "port_id": .string(port.id)])
            #expect(floating["floating_ip_address"]?.string?.hasPrefix("203.0.113.") == true)
            #expect(floating["fixed_ip_address"] == .string(port.addresses[0]))
            #expect(floating["router_id"] == .string(stage.router))
            #expect(floating["status"] == "DOWN", "no host has it yet")
            #expect(floating["port_details"]?["mac_address"] == port["mac_address"])
            let second = await member.send(.post, "/floatingips", ["floatingip": ["floating_network_id": .string(stage.external), "port_id": .string(port.id)]])
            #expect(second.type == "FloatingIPPortAlreadyAssociated")
            let gateway = await member.change("router", stage.router, ["external_gateway_info": .null])
            #expect(gateway.type == "RouterExternalGatewayInUseByFloatingIp")
            let away = await member.change("floatingip", floating.id, ["port_id": .null]).json["floatingip"]
            #expect(away?["port_id"] == .null)
            #expect(away?["status"] == "DOWN")
            #expect(await member.change("floatingip", floating.id, ["port_id": .string(port.id)]).status == .ok)
            let unplugged = await member.send(.put, "/routers/\(stage.router)/remove_router_interface", ["subnet_id": .string(stage.subnet)])
            #expect(unplugged.type == "RouterInterfaceInUseByFloatingIP")
            #expect(await member.send(.delete, "/ports/\(port.id)").status == .noContent)
            #expect(await member.send(.get, "/floatingips/\(floating.id)").json["floatingip"]?["router_id"] == .null)
            #expect(await member.send(.delete, "/floatingips/\(floating.id)").status == .noContent)
            let left = await stage.admin.list("ports", "device_owner=network:floatingip")
            #expect(left.isEmpty)
        }
    }

    @Test("A floating IP can belong to a router's interface, but not to a DHCP port")
    func floatingToPorts() async throws {
        try await Stage.run { _, stage in
            let interface = try #require(await stage.member.list("ports", "device_owner=network:router_interface").first).id
            let external = JSON.string(stage.external)
            let floating = try await stage.member.make("floatingip", ["floating_network_id": external, "port_id": .string(interface)])
            #expect(floating["fixed_ip_address"] == "10.0.0.1")
            let dhcp = try await stage.member.port(stage.network, ["device_owner": "network:dhcp"]).id
            let refused = await stage.member.send(.post, "/floatingips", ["floatingip": ["floating_network_id": external, "port_id": .string(dhcp)]])
            #expect(refused.status == .badRequest && refused.type == "BadRequest", "\(refused.text)")
        }
    }

    @Test("A router can be deleted when it has no interfaces, and its gateway is deleted with it")
    func removal() async throws {
        try await Stage.run { _, stage in
            let member = stage.member
            #expect(await member.send(.delete, "/routers/\(stage.router)").type == "RouterInUse")
            let ports = await member.list("ports", "device_id=\(stage.router)")
            #expect(ports.count == 1)
            #expect(ports.first?.addresses == ["10.0.0.1"])
            #expect(await member.send(.delete, "/ports/\(ports.first?.id ?? "")").type == "ServicePortInUse")
            #expect(await member.send(.delete, "/subnets/\(stage.subnet)").type == "SubnetInUse")
            let path = "/routers/\(stage.router)/remove_router_interface"
            #expect(await member.send(.put, path, ["port_id": .string(ports.first?.id ?? "")]).status == .ok)
            #expect(await member.send(.put, path, ["subnet_id": .string(stage.subnet)]).status == .notFound)
            #expect(await member.send(.delete, "/routers/\(stage.router)").status == .noContent)
            #expect(await stage.admin.list("ports").isEmpty)
        }
    }

    @Test("A router does not join overlapping networks")
    func overlaps() async throws {
        try await Stage.run { _, stage in
            let member = stage.member
            let path = "/routers/\(stage.router)/add_router_interface"
            #expect(await member.send(.put, path, ["subnet_id": .string(stage.subnet)]).status == .badRequest)
            let (_, inside) = try await member.network("inside", cidr: "10.0.0.128/25")
            #expect(await member.send(.put, path, ["subnet_id": .string(inside)]).status == .badRequest)
            let (_, outer) = try await member.network("public", cidr: "203.0.113.0/25")
            #expect(await member.send(.put, path, ["subnet_id": .string(outer)]).status == .badRequest)
            let (network, _) = try await member.network("other", cidr: "10.0.1.0/24")
            let port = try await member.port(network)
            let plugged = await member.send(.put, path, ["port_id": .string(port.id)])
            #expect(plugged.status == .ok, "\(plugged.text)")
            #expect(await member.send(.put, path, ["port_id": .string(port.id)]).type == "PortInUse")
            #expect(await member.send(.put, path, [:]).status == .badRequest)
        }
    }

    @Test("The next hop of a route must be on one of the router's networks")
    func routes() async throws {
        try await Stage.run { _, stage in
            let member = stage.member
            let good: JSON = ["destination": "192.0.2.0/24", "nexthop": "10.0.0.9"]
            #expect(await member.change("router", stage.router, ["routes": [good]]).json["router"]?["routes"] == [good])
            let far = await member.change("router", stage.router, ["routes": [["destination": "192.0.2.0/24", "nexthop": "10.7.0.9"]]])
            #expect(far.type == "InvalidRoutes")
            let own = await member.change("router", stage.router, ["routes": [["destination": "192.0.2.0/24", "nexthop": "10.0.0.1"]]])
            #expect(own.type == "InvalidRoutes")
            let path = "/routers/\(stage.router)"
            let more: JSON = ["destination": "198.51.100.0/24", "nexthop": "10.0.0.9"]
            let added = await member.send(.put, path + "/add_extraroutes", ["router": ["routes": [more]]])
            #expect(added.json["router"]?["routes"]?.array?.count == 2)
            let unplugged = await member.send(.put, path + "/remove_router_interface", ["subnet_id": .string(stage.subnet)])
            #expect(unplugged.type == "RouterInterfaceInUseByRoute")
            let removed = await member.send(.put, path + "/remove_extraroutes", ["router": ["routes": [good, more]]])
            #expect(removed.json["router"]?["routes"] == [])
        }
    }

    @Test("Only administrators may set enable_snat of a gateway")
    func gatewayRights() async throws {
        try await Stage.run { _, stage in
            let info: JSON = ["network_id": .string(stage.external), "enable_snat": false]
            #expect(await stage.member.change("router", stage.router, ["external_gateway_info": info]).status == .forbidden)
            let set = await stage.admin.change("router", stage.router, ["external_gateway_info": info])
            #expect(set.json["router"]?["external_gateway_info"]?["enable_snat"] == false)
            let wrong: JSON = ["network_id": .string(stage.network)]
            #expect(await stage.admin.change("router", stage.router, ["external_gateway_info": wrong]).status == .badRequest)
        }
    }
}
