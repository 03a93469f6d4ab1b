import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

/// The visibility of other projects' resources, and the RBAC policies that control it.
@Suite("Shared resources")
struct VisibilityTests {
    /// Two projects, and the administrator's network, which is external for only one of them.
    private struct Stage {
        let cloud: TestCloud
        let admin: NetworkingClient
        let one: NetworkingClient
        let oneProject: String
        let other: NetworkingClient
        let otherProject: String
        let network: String
        let subnet: String
        let policy: String

        static func run(_ body: (Stage) async throws -> Void) async throws { try await TestCloud.run { try await body(Stage($0)) } }

        init(_ cloud: TestCloud) async throws {
            self.cloud = cloud
            admin = try await NetworkingClient(cloud)
            (one, oneProject) = try await NetworkingClient.member(cloud, of: "one")
            (other, otherProject) = try await NetworkingClient.member(cloud, of: "other")
            (network, subnet) = try await admin.network("external", cidr: "203.0.113.0/24")
            policy = try await Self.share(admin, "network", network, with: oneProject, "access_as_external").id
        }

        static func share(_ client: NetworkingClient, _ type: String, _ id: String, with project: String, _ action: String = "access_as_shared") async throws -> JSON {
            let reply = await Self.ask(client, type, id, with: project, action)
            try #require(reply.status == .created, "\(reply.text)")
            return try #require(reply.json["rbac_policy"])
        }

        static func ask(
            _ client: NetworkingClient, _ type: String, _ id: String, with project: String, _ action: String = "access_as_shared"
        ) async -> TestCloud.Response {
            await client.send(
                .post, "/rbac-policies",
                ["rbac_policy": ["object_type": .string(type), "object_id": .string(id), "action": .string(action), "target_tenant": .string(project)]])
        }
    }

    @Test("A network that is external for one project appears not to exist for others, however they refer to it")
    func external() async throws {
        try await Stage.run { stage in
            let network = JSON.string(stage.network)
            #expect(await stage.one.send(.get, "/networks/\(stage.network)").json["network"]?["router:external"] == true)
            #expect(await stage.one.send(.get, "/subnets/\(stage.subnet)").status == .ok)
            #expect(await stage.one.list("networks", "router:external=true").count == 1)
            let router = try await stage.one.make("router", ["external_gateway_info": ["network_id": network]])
            try await stage.one.make("floatingip", ["floating_network_id": network])
            #expect(!router.id.isEmpty)

            #expect(await stage.other.list("networks", "router:external=true").isEmpty)
            #expect(await stage.other.list("subnets").isEmpty)
            let own = try await stage.other.make("router").id
            let refused: [(HTTPRequest.Method, String, JSON?)] = [
                (.get, "/networks/\(stage.network)", nil), (.get, "/subnets/\(stage.subnet)", nil),
                (.get, "/networks/\(stage.network)/tags", nil), (.put, "/networks/\(stage.network)", ["network": ["name": "mine"]]),
                (.delete, "/networks/\(stage.network)", nil),
                (.post, "/floatingips", ["floatingip": ["floating_network_id": network]]),
                (.post, "/routers", ["router": ["external_gateway_info": ["network_id": network]]]),
                (.put, "/routers/\(own)", ["router": ["external_gateway_info": ["network_id": network]]]),
                (.put, "/routers/\(own)/add_router_interface", ["subnet_id": .string(stage.subnet)]),
                (.put, "/routers/\(own)/remove_router_interface", ["subnet_id": .string(stage.subnet)]),
                (.post, "/ports", ["port": ["network_id": network]]),
                (.post, "/subnets", ["subnet": ["network_id": network, "ip_version": 4, "cidr": "10.0.0.0/24"]]),
            ]
            for (method, path, body) in refused {
                let reply = await stage.other.send(method, path, body)
                #expect(reply.status == .notFound, "\(method) \(path): \(reply.status) \(reply.text)")
            }
        }
    }

    @Test("A policy for an external network stays while routers of its target project have gateways there")
    func gateways() async throws {
        try await Stage.run { stage in
            let network = JSON.string(stage.network)
            try await stage.one.make("router", ["external_gateway_info": ["network_id": network]])
            #expect(await stage.admin.send(.delete, "/rbac-policies/\(stage.policy)").type == "RbacPolicyInUse")
            // The policy for everybody can be deleted while the project that uses the network has its own policy.
            let wide = try await Stage.share(stage.admin, "network", stage.network, with: "*", "access_as_external").id
            #expect(await stage.admin.send(.delete, "/rbac-policies/\(wide)").status == .noContent)
            // The project's own policy can be deleted while there is one for everybody, and that one can become the
            // project's.
            let again = try await Stage.share(stage.admin, "network", stage.network, with: "*", "access_as_external").id
            #expect(await stage.admin.send(.delete, "/rbac-policies/\(stage.policy)").status == .noContent)
            #expect(await stage.admin.send(.delete, "/rbac-policies/\(again)").type == "RbacPolicyInUse")
            let changed = await stage.admin.send(.put, "/rbac-policies/\(again)", ["rbac_policy": ["target_tenant": .string(stage.oneProject)]])
            #expect(changed.status == .ok, "\(changed.text)")
            #expect(await stage.other.send(.get, "/networks/\(stage.network)").status == .notFound)
        }
    }

    @Test("The default external network stays available to everybody")
    func byDefault() async throws {
        try await Stage.run { stage in
            let network = try await stage.admin.make("network", ["router:external": true, "is_default": true]).id
            let policy = try #require(await stage.admin.list("rbac_policies", "object_id=\(network)").first).id
            #expect(await stage.admin.send(.delete, "/rbac-policies/\(policy)").type == "RbacPolicyInUse")
            let narrow: JSON = ["rbac_policy": ["target_tenant": .string(stage.oneProject)]]
            #expect(await stage.admin.send(.put, "/rbac-policies/\(policy)", narrow).type == "RbacPolicyInUse")
        }
    }

    @Test("An owner can make a network external for another project and revoke that")
    func owners() async throws {
        try await Stage.run { stage in
            let (network, _) = try await stage.one.network("mine", cidr: "198.51.100.0/24")
            let before = await stage.one.send(.get, "/networks/\(network)").json["network"]?["revision_number"]?.integer ?? -1
            let policy = try await Stage.share(stage.one, "network", network, with: stage.otherProject, "access_as_external").id
            let shown = await stage.other.send(.get, "/networks/\(network)").json["network"]
            #expect(shown?["router:external"] == true)
            #expect(shown?["revision_number"]?.integer ?? 0 > before)
            #expect(await stage.one.send(.delete, "/rbac-policies/\(policy)").status == .noContent)
            #expect(await stage.other.send(.get, "/networks/\(network)").status == .notFound)
            #expect(await stage.one.send(.get, "/networks/\(network)").json["network"]?["router:external"] == false)
            // A network that is no longer external is invisible to other projects.
            #expect(await stage.admin.change("network", stage.network, ["router:external": false]).status == .ok)
            #expect(await stage.one.send(.get, "/networks/\(stage.network)").status == .notFound)
        }
    }

    @Test("Only its owner can share a resource: others get 400 if they see it, and 404 if they do not")
    func strangers() async throws {
        try await Stage.run { stage in
            let shared = try await stage.admin.make("network", ["shared": true]).id
            let hidden = try await stage.admin.make("network").id
            #expect(await Stage.ask(stage.one, "network", shared, with: stage.otherProject).status == .badRequest)
            #expect(await Stage.ask(stage.one, "network", hidden, with: stage.otherProject).status == .notFound)
            let policy = try await Stage.share(stage.admin, "network", hidden, with: stage.oneProject)
            #expect(policy["target_tenant"] == .string(stage.oneProject) && policy["target_project"] == nil)
        }
    }

    @Test("A resource of any kind stays shared with a project that uses it")
    func inUse() async throws {
        try await Stage.run { stage in
            let scope = try await stage.admin.make("address_scope", ["name": "s", "ip_version": 4]).id
            let pool = try await stage.admin.make("subnetpool", ["name": "p", "prefixes": ["10.8.0.0/16"], "default_prefixlen": 24]).id
            let addresses = try await stage.admin.make("address_group", ["name": "a", "addresses": ["10.0.0.0/24"]]).id
            let group = try await stage.admin.make("security_group", ["name": "g"]).id
            let net = try await stage.admin.network("lent", cidr: "10.9.0.0/24").network
            var policies: [String: String] = [:]
            for (type, id) in [("address_scope", scope), ("subnetpool", pool), ("address_group", addresses), ("security_group", group), ("network", net)] {
                policies[type] = try await Stage.share(stage.admin, type, id, with: stage.oneProject).id
            }
            let own = try await stage.one.network("own", cidr: "10.7.0.0/24").network
            try await stage.one.make("subnetpool", ["name": "of the scope", "prefixes": ["10.6.0.0/16"], "address_scope_id": .string(scope)])
            let empty = try await stage.one.make("network").id
            try await stage.one.make("subnet", ["network_id": .string(empty), "ip_version": 4, "subnetpool_id": .string(pool)])
            let mine = try await stage.one.make("security_group", ["name": "mine"]).id
            let rule: JSONObject = ["security_group_id": .string(mine), "direction": "ingress", "remote_address_group_id": .string(addresses)]
            try await stage.one.make("security_group_rule", rule)
            _ = try await stage.one.port(own, ["security_groups": [.string(group)]])
            _ = try await stage.one.port(net)
            for (type, policy) in policies {
                let path = "/rbac-policies/\(policy)"
                #expect(await stage.admin.send(.delete, path).type == "RbacPolicyInUse", "\(type)")
                let other: JSON = ["rbac_policy": ["target_tenant": .string(stage.otherProject)]]
                #expect(await stage.admin.send(.put, path, other).type == "RbacPolicyInUse", "\(type)")
                #expect(await stage.admin.send(.put, path, ["rbac_policy": ["target_tenant": "*"]]).status == .ok, "\(type)")
                #expect(await stage.admin.send(.delete, path).type == "RbacPolicyInUse", "\(type)")
            }
        }
    }

    @Test("A pool can be shared only with projects that see its address scope")
    func poolsOfScopes() async throws {
        try await Stage.run { stage in
            let scope = try await stage.admin.make("address_scope", ["name": "s", "ip_version": 4]).id
            let members: JSONObject = ["name": "p", "prefixes": ["10.8.0.0/16"], "address_scope_id": .string(scope)]
            let pool = try await stage.admin.make("subnetpool", members).id
            let refused = await Stage.ask(stage.admin, "subnetpool", pool, with: stage.oneProject)
            #expect(refused.status == .badRequest && refused.type == "InvalidInput", "\(refused.text)")
            _ = try await Stage.share(stage.admin, "address_scope", scope, with: stage.oneProject)
            _ = try await Stage.share(stage.admin, "subnetpool", pool, with: stage.oneProject)
        }
    }
}
