import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

/// Security group rules have one canonical form, however a request spells them.
@Suite("The canonical form of rules")
struct RuleFormTests {
    private struct Stage {
        let cloud: TestCloud
        let client: NetworkingClient
        let group: String

        static func run(_ body: (Stage) async throws -> Void) async throws { try await TestCloud.run { try await body(Stage($0)) } }

        init(_ cloud: TestCloud) async throws {
            self.cloud = cloud
            client = try await NetworkingClient(cloud)
            group = try await client.make("security_group", ["name": "g"]).id
        }

        func body(_ more: JSONObject) -> JSON {
            var members: JSONObject = ["security_group_id": .string(group), "direction": "ingress", "ethertype": "IPv4"]
            for (key, value) in more.members { members[key] = value }
            return .object(members)
        }

        func rule(_ more: JSONObject) async -> TestCloud.Response {
            await client.send(.post, "/security-group-rules", ["security_group_rule": body(more)])
        }

        func bulk(_ rules: [JSONObject]) async -> TestCloud.Response {
            await client.send(.post, "/security-group-rules", ["security_group_rules": .array(rules.map(body))])
        }
    }

    private static let twins: [(JSONObject, JSONObject)] = [
        (["protocol": "tcp", "port_range_min": 22, "port_range_max": 22], ["protocol": 6, "port_range_min": "22", "port_range_max": "22"]),
        (["protocol": "tcp"], ["protocol": "TCP", "port_range_min": 1, "port_range_max": 65_535]),
        (["protocol": "udp"], ["protocol": "udp", "remote_ip_prefix": "0.0.0.0/0", "ethertype": "ipv4"]),
        (["protocol": "vrrp"], ["protocol": "112", "description": "other words"]),
        (["protocol": .null], ["protocol": "any", "remote_ip_prefix": "0.0.0.0/0"]),
        (["ethertype": "IPv6", "protocol": "icmpv6"], ["ethertype": "IPv6", "protocol": "58"]),
        (["ethertype": "IPv6", "protocol": "icmp"], ["ethertype": "IPv6", "protocol": "ipv6-icmp", "remote_ip_prefix": "::/0"]),
        (["ethertype": "IPv6", "protocol": "1", "port_range_min": 128], ["ethertype": "IPv6", "protocol": "icmpv6", "port_range_min": 128]),
        (["remote_ip_prefix": "10.0.0.1"], ["remote_ip_prefix": "10.0.0.1/32"]),
        (["ethertype": "IPv6", "remote_ip_prefix": "2001:db8:0::/48"], ["ethertype": "IPv6", "remote_ip_prefix": "2001:DB8::/48"]),
    ]

    @Test("A duplicate of a rule in another spelling is refused, in one request and in two", arguments: twins.indices)
    func twin(at: Int) async throws {
        let (one, other) = Self.twins[at]
        try await Stage.run { stage in
            for pair in [[one, other], [other, one]] {
                let together = await stage.bulk(pair)
                #expect(together.status == .conflict && together.type == "DuplicateSecurityGroupRuleInPost", "\(together.text)")
                let made = await stage.rule(pair[0])
                try #require(made.status == .created, "\(made.text)")
                let id = try #require(made.json["security_group_rule"]).id
                for reply in [await stage.rule(pair[1]), await stage.bulk([["protocol": "egp"], pair[1]])] {
                    #expect(reply.status == .conflict && reply.type == "SecurityGroupRuleExists" && reply.text.contains(id), "\(reply.text)")
                }
                #expect(await stage.client.send(.delete, "/security-group-rules/\(id)").status == .noContent)
                #expect(await stage.client.list("security_group_rules", "security_group_id=\(stage.group)").count == 2)
            }
        }
    }

    @Test("A rule that an older release stored in another form is recognized as a duplicate")
    func older() async throws {
        try await Stage.run { stage in
            let made = try #require(await stage.rule(["protocol": "tcp"]).json["security_group_rule"]).id
            try await stage.cloud.database.write { tx in
                try tx.execute(
                    "UPDATE networking_security_group_rule SET protocol = '6', port_range_min = 1, port_range_max = 65535, remote_ip_prefix = '0.0.0.0/0' WHERE id = ?",
                    made)
            }
            #expect(await stage.rule(["protocol": "tcp"]).type == "SecurityGroupRuleExists")
        }
    }

    @Test("Rules are stored and shown in canonical form")
    func shown() async throws {
        try await Stage.run { stage in
            let cases: [(JSONObject, JSONObject)] = [
                (["ethertype": "IPv6", "protocol": "icmpv6"], ["protocol": "ipv6-icmp"]),
                (["ethertype": "IPv6", "protocol": "icmp", "port_range_min": 1], ["protocol": "ipv6-icmp"]),
                (["ethertype": "IPv6", "protocol": "1", "port_range_min": 2], ["protocol": "58"]),
                (["protocol": "tcp", "port_range_min": 1, "port_range_max": 65_535], ["port_range_min": .null, "port_range_max": .null]),
                (["protocol": 112, "remote_ip_prefix": "10.1.2.3/24"], ["protocol": "112", "remote_ip_prefix": "10.1.2.3/24", "normalized_cidr": "10.1.2.0/24"]),
                (["protocol": "udp", "ethertype": "ipv4", "remote_ip_prefix": "10.1.2.3"], ["ethertype": "IPv4", "remote_ip_prefix": "10.1.2.3/32"]),
            ]
            for (given, wanted) in cases {
                let made = try #require(await stage.rule(given).json["security_group_rule"], "\(given)")
                let read = await stage.client.send(.get, "/security-group-rules/\(made.id)").json["security_group_rule"]
                for (name, value) in wanted.members { #expect(made[name] == value && read?[name] == value, "\(given): \(name)") }
            }
        }
    }

    @Test("All rules of one request must be for the same group")
    func groups() async throws {
        try await Stage.run { stage in
            let other = try await stage.client.make("security_group", ["name": "h"]).id
            let reply = await stage.bulk([["protocol": "tcp"], ["protocol": "udp", "security_group_id": .string(other)]])
            #expect(reply.status == .badRequest && reply.type == "SecurityGroupNotSingleGroupRules", "\(reply.text)")
        }
    }

    @Test("A duplicate of a default rule is refused, in another spelling too")
    func defaults() async throws {
        try await Stage.run { stage in
            let path = "/default-security-group-rules"
            func make(_ rules: [JSONObject]) async -> TestCloud.Response {
                await stage.client.send(.post, path, ["default_security_group_rules": .array(rules.map(JSON.object))])
            }
            #expect(await make([["direction": "egress", "remote_ip_prefix": "0.0.0.0/0"]]).type == "DefaultSecurityGroupRuleExists")
            let covered: JSONObject = ["direction": "egress", "used_in_default_sg": true, "used_in_non_default_sg": false]
            #expect(await make([covered]).type == "DefaultSecurityGroupRuleExists")
            let twice: [JSONObject] = [["direction": "ingress", "protocol": "tcp"], ["direction": "ingress", "protocol": "6"]]
            #expect(await make(twice).type == "DuplicateDefaultSgRuleInPost")
            let apart: [JSONObject] = [
                ["direction": "ingress", "protocol": "tcp"],
                ["direction": "ingress", "protocol": "6", "used_in_default_sg": true, "used_in_non_default_sg": false],
            ]
            #expect(await make(apart).status == .created)
        }
    }

    @Test("The groups of a port are all stateful or all stateless, each at most once")
    func ports() async throws {
        try await Stage.run { stage in
            let network = try await stage.client.network().network
            let stateless = try await stage.client.make("security_group", ["name": "s", "stateful": false]).id
            let groups: JSON = [.string(stage.group), .string(stateless)]
            let mixed = await stage.client.send(.post, "/ports", ["port": ["network_id": .string(network), "security_groups": groups]])
            #expect(mixed.status == .conflict && mixed.type == "SecurityGroupConflict", "\(mixed.text)")
            let port = try await stage.client.port(network, ["security_groups": [.string(stateless)]]).id
            #expect(await stage.client.change("port", port, ["security_groups": groups]).type == "SecurityGroupConflict")
            let twice: JSON = [.string(stateless), .string(stateless)]
            #expect(await stage.client.change("port", port, ["security_groups": twice]).status == .badRequest)
        }
    }

    @Test("The initial rules of a group count towards the quota")
    func quota() async throws {
        try await NetworkingClient.runAsAdmin { cloud, admin in
            let (client, project) = try await NetworkingClient.member(cloud, of: "own")
            #expect(await client.list("security_groups").count == 1)
            #expect(await admin.send(.put, "/quotas/\(project)", ["quota": ["security_group_rule": 5]]).status == .ok)
            let refused = await client.send(.post, "/security-groups", ["security_group": ["name": "g"]])
            #expect(refused.status == .conflict && refused.type == "OverQuota", "\(refused.text)")
            #expect(await client.list("security_groups").count == 1)
        }
    }

    @Test("Listing the groups of a project as an administrator makes its default group")
    func administrators() async throws {
        try await NetworkingClient.runAsAdmin { cloud, admin in
            let (client, project) = try await NetworkingClient.member(cloud, of: "new")
            let (_, other) = try await NetworkingClient.member(cloud, of: "newer")
            #expect(await client.list("security_groups", "project_id=\(other)").isEmpty)
            #expect(await admin.list("security_groups").allSatisfy { $0["project_id"] != .string(other) })
            #expect(await admin.list("security_groups", "project_id=\(project)").map { $0["name"] } == ["default"])
            #expect(await admin.list("security_group_rules", "tenant_id=\(other)").count == 4)
        }
    }
}
