import CloudCore
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

@Suite("Security groups")
struct SecurityGroupTests {
    @Test("A project's default group is made at the first listing, exactly once", arguments: DatabaseKind.allCases)
    func defaultGroup(kind: DatabaseKind) async throws {
        try await NetworkingClient.runAsMember(on: kind) { _, client in
            await withTaskGroup(of: Int.self) { group in
                for _ in 0..<4 { group.addTask { await client.list("security_groups").count } }
                for await count in group { #expect(count == 1) }
            }
            let group = try #require(await client.list("security_groups").first)
            #expect(group["name"] == "default")
            #expect(group["security_group_rules"]?.array?.count == 4)
            #expect(await client.send(.delete, "/security-groups/\(group.id)").type == "SecurityGroupCannotRemoveDefault")
            #expect(await client.send(.post, "/security-groups", ["security_group": ["name": "default"]]).status == .conflict)
        }
    }

    @Test("Rules are validated and unique")
    func rules() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let group = try await client.make("security_group", ["name": "web"])
            #expect(group["security_group_rules"]?.array?.count == 2)
            func rule(_ more: JSONObject) async -> TestCloud.Response {
                var members: JSONObject = ["security_group_id": .string(group.id), "direction": "ingress"]
                for (key, value) in more.members { members[key] = value }
                return await client.send(.post, "/security-group-rules", .object(["security_group_rule": .object(members)]))
            }
            let made = await rule(["protocol": "tcp", "port_range_min": 80, "port_range_max": 443, "remote_ip_prefix": "10.0.0.7/24"])
            #expect(made.status == .created, "\(made.text)")
            #expect(made.json["security_group_rule"]?["normalized_cidr"] == "10.0.0.0/24")
            #expect(made.json["security_group_rule"]?["ethertype"] == "IPv4")
            for (members, type) in [
                (["protocol": "tcp", "port_range_min": 80, "port_range_max": 443, "remote_ip_prefix": "10.0.0.7/24"], "SecurityGroupRuleExists"),
                (["protocol": "tcp", "port_range_min": 443, "port_range_max": 80], "SecurityGroupInvalidPortRange"),
                (["protocol": 17, "port_range_min": -16, "port_range_max": 80], "SecurityGroupInvalidPortValue"),
                (["protocol": "nonsense"], "SecurityGroupRuleInvalidProtocol"),
                (["protocol": "256"], "SecurityGroupRuleInvalidProtocol"),
                (["port_range_min": 80, "port_range_max": 80], "SecurityGroupProtocolRequiredWithPorts"),
                (["protocol": "icmp", "port_range_max": 3], "SecurityGroupMissingIcmpType"),
                (["protocol": "icmp", "port_range_min": 300], "SecurityGroupInvalidIcmpValue"),
                (["ethertype": "IPv6", "remote_ip_prefix": "10.0.0.0/24"], "SecurityGroupRuleParameterConflict"),
                (["ethertype": "IPv5"], "SecurityGroupRuleInvalidEtherType"),
                (["remote_ip_prefix": "nonsense"], "InvalidCIDR"),
                (["remote_ip_prefix": "10.0.0.0/8", "remote_group_id": .string(group.id)], "SecurityGroupMultipleRemoteEntites"),
                (["remote_group_id": "00000000-0000-4000-8000-000000000000"], "SecurityGroupNotFound"),
            ] as [(JSONObject, String)] {
                #expect(await rule(members).type == type, "\(members)")
            }
            #expect(await rule(["protocol": "50", "remote_group_id": .string(group.id)]).status == .created)
            let shown = await client.send(.get, "/security-groups/\(group.id)").json["security_group"]
            #expect(shown?["security_group_rules"]?.array?.count == 4)
            #expect(shown?["revision_number"] == 2)
        }
    }

    @Test("A group that a port uses cannot be deleted")
    func use() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let (network, _) = try await client.network()
            let group = try await client.make("security_group", ["name": "g"]).id
            let port = try await client.port(network, ["security_groups": [.string(group)]])
            #expect(port["security_groups"] == [.string(group)])
            #expect(await client.list("ports", "security_groups=\(group)").count == 1)
            #expect(await client.send(.delete, "/security-groups/\(group)").type == "SecurityGroupInUse")
            #expect(await client.change("port", port.id, ["security_groups": []]).status == .ok)
            #expect(await client.send(.delete, "/security-groups/\(group)").status == .noContent)
        }
    }

    @Test("Addresses can be added to and removed from an address group, which stays while a rule uses it")
    func addressGroups() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let addresses = try await client.make("address_group", ["name": "a", "addresses": ["10.0.0.0/24"]])
            let path = "/address-groups/\(addresses.id)"
            let body: JSON = ["address_group": ["addresses": ["10.0.1.0/24"]]]
            #expect(await client.send(.put, path + "/add_addresses", body).json["address_group"]?["addresses"] == ["10.0.0.0/24", "10.0.1.0/24"])
            #expect(await client.send(.put, path + "/remove_addresses", body).json["address_group"]?["addresses"] == ["10.0.0.0/24"])
            #expect(await client.send(.put, path + "/remove_addresses", body).status == .notFound)
            let group = try await client.make("security_group", ["name": "g"]).id
            let rule: JSONObject = ["security_group_id": .string(group), "direction": "ingress", "remote_address_group_id": .string(addresses.id)]
            try await client.make("security_group_rule", rule)
            #expect(await client.send(.delete, path).type == "AddressGroupInUse")
        }
    }

    @Test("A new security group gets the default rules that the operator has set")
    func defaultRules() async throws {
        try await NetworkingClient.runAsAdmin { cloud, client in
            #expect(await client.list("default_security_group_rules").count == 4)
            try await client.make("default_security_group_rule", ["direction": "ingress", "protocol": "tcp", "port_range_min": 22, "port_range_max": 22])
            let group = try await client.make("security_group", ["name": "g"])
            #expect(group["security_group_rules"]?.array?.count == 3)
            let member = try await NetworkingClient.member(cloud)
            #expect(await member.list("default_security_group_rules").count == 5)
            #expect(await member.send(.post, "/default-security-group-rules", ["default_security_group_rule": ["direction": "egress"]]).status == .forbidden)
        }
    }
}
