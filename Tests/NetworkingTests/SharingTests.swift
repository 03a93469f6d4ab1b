import CloudCore
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

@Suite("Pools, scopes, sharing and quotas")
struct SharingTests {
    @Test("Subnets are allocated from a pool without overlaps", arguments: DatabaseKind.allCases)
    func pools(kind: DatabaseKind) async throws {
        try await NetworkingClient.runAsAdmin(on: kind) { _, client in
            let pool = try await client.make("subnetpool", ["name": "p", "prefixes": ["10.8.0.0/24", "10.8.1.0/24"], "default_prefixlen": 26])
            #expect(pool["prefixes"] == ["10.8.0.0/23"])
            #expect(pool["ip_version"] == 4)
            var networks: [String] = []
            for _ in 0..<8 { networks.append(try await client.make("network").id) }
            let all = networks
            let cidrs = await withTaskGroup(of: String?.self) { group in
                for network in all {
                    group.addTask {
                        let body: JSON = ["subnet": ["network_id": .string(network), "ip_version": 4, "subnetpool_id": .string(pool.id)]]
                        return await client.send(.post, "/subnets", body).json["subnet"]?["cidr"]?.string
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(cidrs.compactMap { $0 }).count == 8)
            let more = try await client.make("network").id
            let refused = await client.send(.post, "/subnets", ["subnet": ["network_id": .string(more), "ip_version": 4, "subnetpool_id": .string(pool.id)]])
            #expect(refused.type == "SubnetAllocationError")
            #expect(await client.send(.delete, "/subnetpools/\(pool.id)").type == "SubnetPoolDeleteError")
            #expect(await client.change("subnetpool", pool.id, ["prefixes": ["10.8.0.0/24"]]).type == "IllegalSubnetPoolPrefixUpdate")
        }
    }

    @Test("Pools in one address scope must not overlap")
    func scopes() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let scope = try await client.make("address_scope", ["name": "s", "ip_version": 4]).id
            let first: JSONObject = ["name": "a", "prefixes": ["10.8.0.0/16"], "address_scope_id": .string(scope)]
            try await client.make("subnetpool", first)
            let second: JSON = ["subnetpool": ["name": "b", "prefixes": ["10.8.4.0/24"], "address_scope_id": .string(scope)]]
            #expect(await client.send(.post, "/subnetpools", second).type == "AddressScopePrefixConflict")
            #expect(await client.send(.delete, "/address-scopes/\(scope)").type == "AddressScopeInUse")
        }
    }

    @Test("An RBAC policy gives a project access to a network, and stays while the project uses it")
    func policies() async throws {
        try await NetworkingClient.run { _, admin, member in
            let project = try #require(try await member.make("network")["project_id"]?.string)
            let (network, _) = try await admin.network("lent")
            #expect(await member.send(.get, "/networks/\(network)").status == .notFound)
            let body: JSONObject = [
                "object_type": "network", "object_id": .string(network), "action": "access_as_shared", "target_tenant": .string(project),
            ]
            let policy = try await admin.make("rbac_policy", body, at: "/rbac-policies")
            #expect(policy["target_tenant"] == .string(project))
            #expect(await member.send(.get, "/networks/\(network)").json["network"]?["shared"] == true)
            let port = try await member.port(network).id
            #expect(await admin.send(.delete, "/rbac-policies/\(policy.id)").type == "RbacPolicyInUse")
            #expect(await member.send(.delete, "/ports/\(port)").status == .noContent)
            #expect(await admin.send(.delete, "/rbac-policies/\(policy.id)").status == .noContent)
            #expect(await member.send(.get, "/networks/\(network)").status == .notFound)
            let own = try await member.make("network").id
            let wide: JSON = [
                "rbac_policy": ["object_type": "network", "object_id": .string(own), "action": "access_as_shared", "target_tenant": "*"]
            ]
            #expect(await member.send(.post, "/rbac-policies", wide).status == .forbidden)
        }
    }

    @Test("A quota holds under concurrent requests", arguments: DatabaseKind.allCases)
    func quotas(kind: DatabaseKind) async throws {
        try await NetworkingClient.run(on: kind) { _, admin, member in
            let project = try #require(try await member.make("network")["project_id"]?.string)
            #expect(await admin.send(.put, "/quotas/\(project)", ["quota": ["network": 3]]).json["quota"]?["network"] == 3)
            let statuses = await withTaskGroup(of: HTTPResponse.Status.self) { group in
                for _ in 0..<6 { group.addTask { await member.send(.post, "/networks", ["network": [:]]).status } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == .created }.count == 2)
            #expect(statuses.filter { $0 == .conflict }.count == 4)
            #expect(await member.send(.post, "/networks", ["network": [:]]).type == "OverQuota")
            let details = await admin.send(.get, "/quotas/\(project)/details.json").json["quota"]?["network"]
            #expect(details == ["limit": 3, "used": 3, "reserved": 0])
            #expect(await admin.send(.get, "/quotas/\(project)/default").json["quota"]?["network"] == 100)
            #expect(await member.send(.put, "/quotas/\(project)", ["quota": ["network": 30]]).status == .forbidden)
            #expect(await admin.send(.delete, "/quotas/\(project)").status == .noContent)
            #expect(await admin.send(.get, "/quotas/\(project)").json["quota"]?["network"] == 100)
        }
    }

    @Test("The used and total addresses of a network are counted")
    func availability() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let (network, _) = try await client.network()
            _ = try await client.port(network)
            let shown = await client.send(.get, "/network-ip-availabilities/\(network)").json["network_ip_availability"]
            #expect(shown?["total_ips"] == 253)
            #expect(shown?["used_ips"] == 1)
            #expect(await client.list("agents").isEmpty)
            #expect(await client.send(.get, "/availability_zones").json["availability_zones"] == [])
        }
    }
}
