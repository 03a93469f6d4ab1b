import Access
import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import HostModel
import Identity
import SQL
import TestSupport
import Testing

@testable import Networking

/// Compute's calls of Networking, in transactions of Compute.
@Suite("Ports of servers")
struct ServerPortTests {
    /// A member's networks, and the member as a principal.
    struct Stage {
        let cloud: TestCloud
        let admin: NetworkingClient
        let member: NetworkingClient
        let caller: Principal
        var networking: NetworkingAssembly { cloud.cloud.networking }

        init(_ cloud: TestCloud) async throws {
            self.cloud = cloud
            admin = try await NetworkingClient(cloud)
            member = try await NetworkingClient.member(cloud)
            caller = try await cloud.cloud.identity.verifier.principal(of: member.token)
        }

        func plan(_ wish: NetworkWish, groups: [String] = []) async throws -> NetworkPlan {
            try await networking.plan(wish, groups: groups, for: caller)
        }

        @discardableResult
        func ensure(
            _ plan: NetworkPlan, server: ID<Kind.Server> = "server-1", host: String = "host-1"
        ) async throws -> [ServerPort] {
            try await cloud.database.write { [networking] tx in try networking.ensurePorts(plan, server: server, host: host, in: tx) }
        }

        func release(_ server: ID<Kind.Server> = "server-1", only: ID<Kind.Port>? = nil) async throws {
            try await cloud.database.write { [networking] tx in try networking.releasePorts(of: server, only: only, in: tx) }
        }

        func ports(_ server: ID<Kind.Server> = "server-1") async throws -> [ServerPort] {
            try await cloud.database.read { [networking] tx in try networking.ports(of: [server], in: tx)[server] ?? [] }
        }

        func refusal(_ wish: NetworkWish, groups: [String] = []) async -> CloudError.Kind? {
            do {
                _ = try await plan(wish, groups: groups)
                return nil
            } catch { return (error as? CloudError)?.kind }
        }
    }

    @Test("By default a server gets the project's only network: none gives no ports, and several are a conflict")
    func automatic() async throws {
        try await TestCloud.run { cloud in
            let stage = try await Stage(cloud)
            #expect(try await stage.plan(.automatic).ports.isEmpty)
            let (network, _) = try await stage.member.network()
            #expect(try await stage.plan(.automatic).ports.map(\.network) == [ID(network)])
            #expect(try await stage.plan(.nothing).ports.isEmpty)
            // Networks of other projects do not count, but shared ones do.
            _ = try await stage.admin.network("other")
            #expect(await stage.refusal(.automatic) == nil)
            let (shared, _) = try await stage.admin.network("shared", cidr: "10.9.0.0/24", ["shared": true])
            #expect(await stage.refusal(.automatic) == .conflict)
            let listed = try await stage.plan(.listed([.init(network: ID(shared), tag: "one"), .init(network: ID(network)), .init(network: ID(network))]))
            #expect(listed.ports.map(\.network) == [shared, network, network].map { ID($0) })
            #expect(listed.ports.map(\.tag) == ["one", nil, nil])
            #expect(Set(listed.ports.map(\.id)).count == 3)
        }
    }

    @Test("An impossible network request is refused before anything is made")
    func refusals() async throws {
        try await TestCloud.run { cloud in
            let stage = try await Stage(cloud)
            let (network, _) = try await stage.member.network()
            let (others, _) = try await stage.admin.network("other", cidr: "10.8.0.0/24")
            let (external, _) = try await stage.admin.network("external", cidr: "203.0.113.0/24", ["router:external": true])
            let bare = try await stage.member.make("network", ["name": "bare"]).id
            let open = try await stage.member.network("open", cidr: "10.7.0.0/24", ["port_security_enabled": false]).network
            for (item, kind) in [
                (NetworkWish.Item(network: ID(others)), CloudError.Kind.notFound), (.init(network: "nothing"), .notFound),
                (.init(network: ID(external)), .forbidden), (.init(network: ID(bare)), .badRequest), (.init(port: "nothing"), .notFound),
                (.init(network: ID(network), address: "10.1.1.1"), .badRequest), (.init(network: ID(network), address: "10.0.0.255"), .badRequest),
            ] { #expect(await stage.refusal(.listed([item])) == kind, "\(item)") }
            #expect(await stage.refusal(.listed([.init(network: ID(network))]), groups: ["nothing"]) == .badRequest)
            let taken = try await stage.member.port(network)
            #expect(await stage.refusal(.listed([.init(network: ID(network), address: taken.addresses[0])])) == .conflict)
            let foreign = try await stage.admin.port(others)
            #expect(await stage.refusal(.listed([.init(port: ID(foreign.id))])) == .notFound)
            #expect(await stage.refusal(.listed([.init(port: ID(taken.id)), .init(port: ID(taken.id))])) == .conflict)
            #expect(await stage.member.change("port", taken.id, ["device_id": "something"]).status == .ok)
            #expect(await stage.refusal(.listed([.init(port: ID(taken.id))])) == .conflict)
            let homeless = try await stage.member.port(network, ["fixed_ips": []])
            #expect(await stage.refusal(.listed([.init(port: ID(homeless.id))])) == .badRequest)
            for name in ["one", "two"] {
                try await stage.member.make("security_group", ["name": "twin", "description": .string(name)])
            }
            #expect(await stage.refusal(.listed([.init(network: ID(network))]), groups: ["twin"]) == .conflict)
            #expect(await stage.refusal(.listed([.init(network: ID(open))]), groups: ["default"]) == nil)
            let group = try await stage.member.make("security_group", ["name": "web"]).id
            #expect(await stage.refusal(.listed([.init(network: ID(open))]), groups: ["web"]) == .badRequest)
            #expect(try await stage.plan(.listed([.init(network: ID(network))]), groups: ["web", group]).securityGroups == [ID(group)])
            let limit = ["quota": ["port": 3]] as JSON
            let project = try #require(stage.caller.projectID?.text)
            #expect(await stage.admin.send(.put, "/quotas/\(project)", limit).status == .ok)
            #expect(await stage.refusal(.listed([.init(network: ID(network))])) == nil)
            #expect(await stage.refusal(.listed([.init(network: ID(network)), .init(network: ID(network))])) == .forbidden)
        }
    }

    @Test("Ports of a server are made once, shown as the server's, and deleted with it", arguments: DatabaseKind.allCases)
    func life(kind: DatabaseKind) async throws {
        try await TestCloud.run(on: kind) { cloud in
            let stage = try await Stage(cloud)
            let (network, subnet) = try await stage.member.network()
            let given = try await stage.member.port(network, ["name": "mine"])
            let group = try await stage.member.make("security_group", ["name": "web"]).id
            let plan = try await stage.plan(
                .listed([.init(network: ID(network), address: "10.0.0.77", tag: "nic"), .init(port: ID(given.id))]), groups: ["web"])
            let made = try await stage.ensure(plan)
            #expect(try await stage.ensure(plan) == made)
            #expect(try await stage.ports() == made)
            #expect(made.map(\.id) == plan.ports.map(\.id))
            #expect(made[0].addresses == [.init(text: "10.0.0.77", subnet: ID(subnet), isFloating: false)])
            #expect(made[0].tag == "nic" && made[0].networkName == "net" && !made[0].isActive)
            let shown = try #require(await stage.admin.send(.get, "/ports/\(made[0].id)").json["port"])
            #expect(shown["device_id"] == "server-1" && shown["device_owner"] == "compute:nova" && shown["binding:host_id"] == "host-1")
            #expect(shown["status"] == "BUILD" && shown["binding:vif_type"] == "bridge" && shown["security_groups"] == [.string(group)])
            #expect(await stage.member.list("ports", "device_id=server-1").count == 2)
            // The owner of the port cannot be changed while the server has it.
            #expect(await stage.member.change("port", given.id, ["device_id": ""]).type == "PortInUse")
            #expect(await stage.member.send(.delete, "/ports/\(made[0].id)").status == .forbidden)
            let again = try await stage.plan(.listed([.init(network: ID(network))]))
            try await stage.ensure(again, server: "server-2", host: "host-2")
            #expect(await stage.member.list("ports", "device_owner=network:dhcp").count == 2)

            try await stage.release(only: made[0].id)
            #expect(try await stage.ports().map(\.id) == [ID(given.id)])
            try await stage.release()
            try await stage.release()
            #expect(try await stage.ports().isEmpty)
            let free = try #require(await stage.admin.send(.get, "/ports/\(given.id)").json["port"])
            #expect(free["device_id"] == "" && free["device_owner"] == "" && free["binding:host_id"] == "" && free["status"] == "DOWN")
            #expect(await stage.member.list("ports", "device_owner=network:dhcp").count == 1)
            try await stage.release("server-2")
            #expect(await stage.member.list("ports").map(\.id) == [given.id])
        }
    }

    @Test("A port of another server is refused, and no port of the plan is made")
    func taken() async throws {
        try await TestCloud.run { cloud in
            let stage = try await Stage(cloud)
            let (network, _) = try await stage.member.network()
            let given = try await stage.member.port(network)
            let plan = try await stage.plan(.listed([.init(network: ID(network)), .init(port: ID(given.id))]))
            let other = try await stage.plan(.listed([.init(port: ID(given.id))]))
            try await stage.ensure(other, server: "server-2")
            await #expect(throws: CloudError.self) { try await stage.ensure(plan) }
            #expect(try await stage.ports().isEmpty)
            #expect(await stage.member.list("ports", "device_owner=compute:nova").count == 1)
        }
    }

    @Test("Security groups are added to a server and removed by name, and its floating IPs are shown")
    func groups() async throws {
        try await TestCloud.run { cloud in
            let stage = try await Stage(cloud)
            let (network, subnet) = try await stage.member.network()
            let (external, _) = try await stage.admin.network("external", cidr: "203.0.113.0/24", ["router:external": true])
            let router = try await stage.member.make("router", ["external_gateway_info": ["network_id": .string(external)]]).id
            #expect(await stage.member.send(.put, "/routers/\(router)/add_router_interface", ["subnet_id": .string(subnet)]).status == .ok)
            let made = try await stage.ensure(try await stage.plan(.listed([.init(network: ID(network)), .init(network: ID(network))])))
            try await stage.member.make("security_group", ["name": "web"])
            func names() async throws -> [String] {
                try await cloud.database.read { [networking = stage.networking] tx in
                    try networking.securityGroups(of: ["server-1"], in: tx)["server-1"]?.map(\.name) ?? []
                }
            }
            #expect(try await names() == ["default"])
            try await stage.networking.addSecurityGroup("web", to: "server-1", for: stage.caller)
            try await stage.networking.addSecurityGroup("web", to: "server-1", for: stage.caller)
            #expect(try await names() == ["default", "web"])
            try await stage.networking.removeSecurityGroup("default", from: "server-1", for: stage.caller)
            #expect(try await names() == ["web"])
            await #expect(throws: CloudError.self) {
                try await stage.networking.removeSecurityGroup("default", from: "server-1", for: stage.caller)
            }
            await #expect(throws: CloudError.self) {
                try await stage.networking.addSecurityGroup("nothing", to: "server-1", for: stage.caller)
            }
            let floating = try await stage.member.make(
                "floatingip", ["floating_network_id": .string(external), "port_id": .string(made[1].id.text)])
            let shown = try await stage.ports()[1].addresses
            #expect(shown.map(\.isFloating) == [false, true])
            #expect(shown.last?.text == floating["floating_ip_address"]?.string)
        }
    }

    @Test("Moving a server binds its ports to the other host, which then gives out addresses")
    func move() async throws {
        try await TestCloud.run { cloud in
            let stage = try await Stage(cloud)
            let (network, subnet) = try await stage.member.network()
            let made = try await stage.ensure(try await stage.plan(.automatic))
            try await cloud.database.write { [networking = stage.networking] tx in
                try networking.bindPorts(of: "server-1", to: "host-2", in: tx)
            }
            func hosts(_ owner: String) async -> [String] {
                await stage.admin.list("ports", "device_owner=\(owner)").compactMap { $0["binding:host_id"]?.string }
            }
            #expect(await hosts("compute:nova") == ["host-2"])
            #expect(await hosts("network:dhcp") == ["host-2"])
            #expect(try await stage.ports().map(\.addresses) == made.map(\.addresses))
            // A host gives out addresses as long as a subnet has DHCP enabled.
            #expect(await stage.member.change("subnet", subnet, ["enable_dhcp": false]).status == .ok)
            #expect(await hosts("network:dhcp").isEmpty)
            #expect(await stage.member.change("subnet", subnet, ["enable_dhcp": true]).status == .ok)
            let dhcp = try #require(await stage.member.list("ports", "device_owner=network:dhcp").first)
            #expect(dhcp["network_id"] == .string(network) && dhcp.addresses.count == 1)
            #expect(dhcp["device_id"]?.string?.hasPrefix("dhcp") == true)
        }
    }
}
