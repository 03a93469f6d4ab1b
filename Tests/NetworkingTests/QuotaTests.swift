import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@Suite("Quotas of networks")
struct QuotaTests {
    @Test("A user with any role in a project sees its quotas and usage", arguments: ["member", "reader"])
    func own(role: String) async throws {
        try await TestCloud.run { cloud in
            let (client, project) = try await NetworkingClient.member(cloud, of: "own", role: role)
            for path in ["", "/default"] {
                let shown = await client.send(.get, "/quotas/\(project)\(path)")
                #expect(shown.status == .ok, "\(path): \(shown.text)")
                #expect(shown.json["quota"]?["network"] == 100)
            }
            for path in ["/details", "/details.json"] {
                let shown = await client.send(.get, "/quotas/\(project)\(path)")
                #expect(shown.json["quota"]?["port"] == ["limit": 500, "used": 0, "reserved": 0], "\(path): \(shown.text)")
            }
            #expect(await client.send(.get, "/quotas/project").json == ["project": ["project_id": .string(project)]])
            #expect(await client.send(.get, "/quotas/tenant").json == ["tenant": ["tenant_id": .string(project)]])
        }
    }

    @Test("Other projects' quotas, and changes of the own ones, are forbidden to members")
    func others() async throws {
        try await TestCloud.run { cloud in
            let (client, project) = try await NetworkingClient.member(cloud, of: "own")
            let (_, other) = try await NetworkingClient.member(cloud, of: "other")
            for path in ["/quotas/\(other)", "/quotas/\(other)/details", "/quotas/\(other)/default", "/quotas"] {
                #expect(await client.send(.get, path).status == .forbidden, "\(path)")
            }
            #expect(await client.send(.put, "/quotas/\(project)", ["quota": ["network": 200]]).status == .forbidden)
            #expect(await client.send(.delete, "/quotas/\(project)").status == .forbidden)
        }
    }

    @Test("Resources without a quota in the API are limited too, and no answer shows these limits")
    func bounds() async throws {
        try await TestCloud.run { cloud in
            let (client, project) = try await NetworkingClient.member(cloud, of: "own")
            for (noun, plural, body) in [
                ("address_group", "address_groups", ["name": "g"]), ("address_scope", "address_scopes", ["name": "s", "ip_version": 4]),
            ] as [(String, String, JSON)] {
                let path = "/" + plural.replacing("_", with: "-")
                let many = JSON.object([plural: .array(Array(repeating: body, count: 101))])
                let refused = await client.send(.post, path, many)
                #expect(refused.status == .conflict && refused.type == "OverQuota", "\(noun): \(refused.text)")
                let all = JSON.object([plural: .array(Array(repeating: body, count: 100))])
                #expect(await client.send(.post, path, all).status == .created)
                #expect(await client.send(.post, path, .object([noun: body])).type == "OverQuota")
            }
            let shown = try #require(await client.send(.get, "/quotas/\(project)").json["quota"]?.object)
            #expect(
                Set(shown.keys) == [
                    "network", "subnet", "port", "router", "floatingip", "security_group", "security_group_rule", "subnetpool", "rbac_policy",
                ])
        }
    }

    @Test("An address group has at most 1000 addresses, and a list of groups comes in pages")
    func addressGroups() async throws {
        try await NetworkingClient.runAsAdmin { cloud, client in
            func addresses(_ range: Range<Int>) -> JSON { .array(range.map { .string("10.1.\($0 / 256).\($0 % 256)/32") }) }
            let body: JSON = ["address_group": ["name": "g", "addresses": addresses(0..<1001)]]
            #expect(await client.send(.post, "/address-groups", body).type == "OverQuota")
            let group = try await client.make("address_group", ["name": "g", "addresses": addresses(0..<999)])
            let path = "/address-groups/\(group.id)/add_addresses"
            #expect(await client.send(.put, path, ["address_group": ["addresses": addresses(999..<1001)]]).type == "OverQuota")
            #expect(await client.send(.put, path, ["address_group": ["addresses": addresses(999..<1000)]]).status == .ok)
            for _ in 0..<29 { try await client.make("address_group", ["name": "h"]) }
            var seen: [String] = []
            var next: String? = "/network/v2.0/address-groups?fields=id"
            while let path = next {
                let page = await cloud.send(.get, path, token: client.token).json
                let ids = page["address_groups"]?.array?.map(\.id) ?? []
                #expect(ids.count <= 25)
                seen += ids
                next = page["address_groups_links"]?.array?.first { $0["rel"] == "next" }?["href"]?.string.map { String($0.dropFirst(TestCloud.url.count)) }
            }
            #expect(seen.count == 30 && Set(seen).count == 30)
        }
    }

    @Test("A port has at most 64 DHCP options, also if they come one after the other")
    func dhcpOptions() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let network = try await client.make("network", ["name": "n"])
            func options(_ range: Range<Int>) -> JSON {
                .array(range.map { ["opt_name": .string("\($0)"), "opt_value": "x"] })
            }
            let members: JSONObject = ["network_id": .string(network.id), "extra_dhcp_opts": options(0..<60)]
            let port = try await client.make("port", members)
            func add(_ range: Range<Int>) async -> TestCloud.Response {
                await client.send(.put, "/ports/\(port.id)", ["port": ["extra_dhcp_opts": options(range)]])
            }
            #expect(await add(60..<65).type == "OverQuota")
            #expect(await add(58..<64).status == .ok)
            #expect(await add(64..<65).type == "OverQuota")
            let whole: JSON = ["port": ["network_id": .string(network.id), "extra_dhcp_opts": options(0..<65)]]
            #expect(await client.send(.post, "/ports", whole).status == .badRequest)
        }
    }

    @Test("A thing has at most 50 tags, however they come")
    func tags() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let network = try await client.make("network", ["name": "n"])
            let path = "/networks/\(network.id)/tags"
            func tags(_ count: Int) -> JSON { ["tags": .array((0..<count).map { .string("t\($0)") })] }
            #expect(await client.send(.put, path, tags(51)).status == .badRequest)
            #expect(await client.send(.put, path, tags(50)).status == .ok)
            #expect(await client.send(.put, "\(path)/t49").status == .created)
            #expect(await client.send(.put, "\(path)/t50").status == .badRequest)
            #expect(await client.send(.post, path, ["tags": ["t50"]]).status == .badRequest)
        }
    }
}
