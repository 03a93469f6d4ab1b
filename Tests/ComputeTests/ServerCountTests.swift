import CloudCore
@testable import Compute
import ControlPlane
import HTTPKit
import HTTPTypes
import HostModel
import TestSupport
import Testing

@Suite("Several servers in one request")
struct ServerCountTests {
    private func body(_ image: String, _ more: JSONObject) -> JSON {
        var server: JSONObject = ["name": "many", "imageRef": .string(image), "flavorRef": "small", "networks": "none"]
        for (key, value) in more.members { server[key] = value }
        return ["server": .object(server)]
    }

    private func names(_ client: ComputeClient) async -> [String] {
        let found = await client.good(.get, "/servers?sort_key=display_name&sort_dir=asc")["servers"]?.array ?? []
        return found.compactMap { $0["name"]?.string }
    }

    static func project(_ client: ComputeClient) async -> String {
        let reply = await client.cloud.send(.get, "/v3/auth/tokens", token: client.token, headers: [.subjectToken: client.token])
        return reply.json["token"]?["project"]?["id"]?.string ?? ""
    }

    @Test("Huge values of min_count and max_count make no more servers than the quotas leave", .timeLimit(.minutes(15)))
    func huge() async throws {
        try await ServerTests.run { client, image in
            let project = await Self.project(client)
            await client.good(.put, "/os-quota-sets/\(project)", ["quota_set": ["instances": 3]])
            for most: JSON in [9_000_000_000_000_000_000, "9223372036854775807", "99999999999999999999999"] {
                await client.good(.post, "/servers", body(image, ["min_count": 1, "max_count": most]))
                #expect(await names(client) == ["many-1", "many-2", "many-3"])
                #expect(
                    await client.refused(.forbidden, .post, "/servers", body(image, ["max_count": most]))
                        .hasPrefix("Quota exceeded for cores, instances, ram: Requested 9223372036854775807, 1-9223372036854775807,")
                        || most == 9_000_000_000_000_000_000)
                try await ServerTests.settle(client)
                for server in await client.good(.get, "/servers")["servers"]?.array ?? [] {
                    await client.good(.delete, "/servers/\(server["id"]?.string ?? "")")
                }
                try await ServerTests.settle(client)
            }
            await client.refused(.forbidden, .post, "/servers", body(image, ["min_count": 9_000_000_000_000_000_000]))
            #expect(await names(client).isEmpty)
        }
    }

    @Test("Without a quota, one request makes at most 1000 servers")
    func unlimited() async throws {
        try await ServerTests.run { client, image in
            let principal = ServerStage.principal
            let project = principal.projectID?.text ?? ""
            let context = client.cloud.cloud.compute.context
            let caller = Caller(principal: principal, minor: 104, requestID: "req-1", policy: context.policy)
            let flavor = try await context.read { tx in try #require(try FlavorStore().find(ID("small"), in: tx)) }
            try await context.write { tx in
                for resource in QuotaResource.allCases { try QuotaStore().set(resource, to: -1, project: project, user: nil, in: tx) }
            }
            func room(_ least: Int, _ most: Int) async throws -> Int {
                var wish = ServerCreation.Wish()
                (wish.least, wish.most) = (least, most)
                let plan = NetworkPlan(projectID: ID(project), ports: [], securityGroups: [])
                return try await context.read { [wish] tx in
                    try ServerRoom(needs: context.needs).servers(wish, flavor, plan, by: caller, in: tx)
                }
            }
            #expect(try await room(1, 7) == 7)
            #expect(try await room(1000, .max) == ServerRoom.mostAtOnce)
            await #expect(throws: CloudError.self) { try await room(1001, .max) }
            let body = body(image, ["min_count": 1001])
            await client.refused(.forbidden, .post, "/servers", body)
        }
    }

    @Test("Names get numbers only if several servers are made, not if several were asked for")
    func one() async throws {
        try await ServerTests.run { client, image in
            await client.good(.put, "/os-quota-sets/\(await Self.project(client))", ["quota_set": ["instances": 1]])
            await client.good(.post, "/servers", body(image, ["max_count": 5]))
            #expect(await names(client) == ["many"])
        }
    }

    @Test("Quotas of cores and memory limit the number of servers like the quota of instances")
    func cores() async throws {
        try await ServerTests.run { client, image in
            await client.good(.put, "/os-quota-sets/\(await Self.project(client))", ["quota_set": ["cores": 5, "instances": 10]])
            await client.good(.post, "/servers", body(image, ["flavorRef": "large", "max_count": 10]))
            #expect(await names(client).count == 2)
            #expect(
                await client.refused(.forbidden, .post, "/servers", body(image, ["flavorRef": "large"]))
                    == "Quota exceeded for cores: Requested 2, but already used 4 of 5 cores")
        }
    }

    @Test("The quota of ports limits the number of servers, and each server has its own ports")
    func ports() async throws {
        try await ServerTests.run { client, image in
            let project = await Self.project(client)
            let network = try await ServerCountTests.network(client)
            let path = "/network/v2.0/quotas/\(project)"
            let used = await client.cloud.send(.get, "/network/v2.0/ports?project_id=\(project)", token: client.token).json["ports"]?.array?.count ?? 0
            _ = await client.cloud.send(.put, path, token: client.token, json: ["quota": ["port": .integer(Int64(used + 5))]])
            let wanted: JSON = [["uuid": .string(network)], ["uuid": .string(network)]]
            await client.good(.post, "/servers", body(image, ["networks": wanted, "max_count": 9]))
            #expect(await names(client).count == 2)
            try await ServerTests.settle(client)
            let found = await client.good(.get, "/servers/detail")["servers"]?.array ?? []
            #expect(found.compactMap { $0["status"]?.string } == ["ACTIVE", "ACTIVE"])
            let addresses = found.flatMap { $0["addresses"]?.object?.members.flatMap { $0.value.array ?? [] } ?? [] }
            #expect(Set(addresses.compactMap { $0["addr"]?.string }).count == 4)
            await client.refused(.forbidden, .post, "/servers", body(image, ["networks": wanted]))
        }
    }

    @Test("A single address, port or host name is refused for several servers")
    func shared() async throws {
        try await ServerTests.run { client, image in
            let network = try await ServerCountTests.network(client)
            let port = await client.cloud.send(
                .post, "/network/v2.0/ports", token: client.token, json: ["port": ["network_id": .string(network)]]
            ).json["port"]?["id"]?.string ?? ""
            let address: JSON = [["uuid": .string(network), "fixed_ip": "10.5.0.77"]]
            for (wanted, count) in [(address, "min_count"), (address, "max_count"), ([["port": .string(port)]], "max_count")] {
                await client.refused(.badRequest, .post, "/servers", body(image, ["networks": wanted, count: 2]))
            }
            await client.refused(.badRequest, .post, "/servers", body(image, ["hostname": "one", "max_count": 2]))
            #expect(await names(client).isEmpty)
            await client.good(.post, "/servers", body(image, ["networks": address, "max_count": 1]))
            await client.good(.post, "/servers", body(image, ["networks": [["port": .string(port)]]]))
            try await ServerTests.settle(client)
            let states = await client.good(.get, "/servers/detail")["servers"]?.array?.compactMap { $0["status"]?.string }
            #expect(states == ["ACTIVE", "ACTIVE"])
        }
    }

    /// Makes a network with a subnet in the caller's project, and returns its id.
    static func network(_ client: ComputeClient, _ cidr: String = "10.5.0.0/24", hasDHCP: Bool = true) async throws -> String {
        let made = await client.cloud.send(.post, "/network/v2.0/networks", token: client.token, json: ["network": ["name": "n"]])
        let id = try #require(made.json["network"]?["id"]?.string)
        let subnet = await client.cloud.send(
            .post, "/network/v2.0/subnets", token: client.token,
            json: ["subnet": ["network_id": .string(id), "ip_version": 4, "cidr": .string(cidr), "enable_dhcp": .bool(hasDHCP)]])
        #expect(subnet.status == .created, "\(subnet.text)")
        return id
    }
}
