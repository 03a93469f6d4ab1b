import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import Placement
import SQL
import TestSupport
import Testing

@Suite("Placement")
struct PlacementTests {
    private let host = PlacementClient.id(1)
    private let device = PlacementClient.id(2)
    private let pool = PlacementClient.id(3)
    private let consumer = PlacementClient.id(0xc0)

    @Test("Every route except the root requires a token before anything else")
    func unauthenticated() async throws {
        try await TestCloud.run { cloud in
            let routes = cloud.cloud.placement.service.routes
            #expect(routes.count > 30)
            for route in routes where route.path != "/" {
                let path = "/placement" + route.path.replacing(/\{[^}]*\}/, with: "x")
                for token in [nil, "forged"] {
                    let reply = await cloud.send(route.method, path, token: token, json: route.method == .get ? nil : [:])
                    #expect(reply.status == .unauthorized, "\(route.name): \(reply.status)")
                    #expect(reply.json["errors"]?.array?.first?["status"] == 401)
                }
            }
            #expect(await cloud.send(.get, "/placement").status == .ok)
        }
    }

    @Test("A project member gets 403 on every route")
    func unprivileged() async throws {
        try await TestCloud.run { cloud in
            let token = try await cloud.memberToken()
            for route in cloud.cloud.placement.service.routes where route.path != "/" {
                let path = "/placement" + route.path.replacing(/\{[^}]*\}/, with: "x")
                let headers: HTTPFields = [.apiVersion: "placement 1.39"]
                let reply = await cloud.send(route.method, path, token: token, json: route.method == .get ? nil : [:], headers: headers)
                #expect(reply.status == .forbidden, "\(route.name): \(reply.status) \(reply.text)")
            }
        }
    }

    @Test("An error has the form of its microversion")
    func errors() async throws {
        try await PlacementClient.runAsAdmin { _, client in
            let old = await client.send(.get, "/nothing", version: "1.22").json["errors"]?.array?.first
            #expect(old?["title"] == "Not Found")
            #expect(old?["code"] == nil)
            let new = await client.send(.get, "/nothing", version: "1.23").json["errors"]?.array?.first
            #expect(new?["code"] == "placement.undefined_code")
            let unknown = await client.send(.get, "/", version: "1.40")
            #expect(unknown.status == .notAcceptable)
            #expect(unknown.json["errors"]?.array?.first?["max_version"] == "1.39")
            let wrong = await client.send(.post, "/resource_providers/\(host)/inventories", ["total": 0], version: "1.39")
            #expect(wrong.status == .notFound)
            #expect(await client.send(.delete, "/").headers[.allow] == "GET")
        }
    }

    @Test("A change with an outdated generation is refused")
    func generations() async throws {
        try await PlacementClient.runAsAdmin { _, client in
            try await client.provider(host, [("VCPU", 4)])
            let late = await client.send(
                .put, "/resource_providers/\(host)/traits", ["resource_provider_generation": 0, "traits": ["HW_CPU_X86_AVX"]])
            #expect(late.status == .conflict)
            #expect(late.json["errors"]?.array?.first?["code"] == "placement.concurrent_update")
            #expect(await client.claim(consumer, [host: ["VCPU": 1]]).status == .noContent)
            #expect(await client.claim(consumer, [host: ["VCPU": 2]]).status == .conflict)
            #expect(await client.claim(consumer, [host: ["VCPU": 2]], generation: 1).status == .noContent)
            #expect(await client.generation(of: host) == 3)
        }
    }

    @Test("A claim that fits only in part changes nothing")
    func wholeClaims() async throws {
        try await PlacementClient.runAsAdmin { _, client in
            try await client.provider(host, [("VCPU", 4), ("MEMORY_MB", 100)])
            try await client.provider(device, parent: host, [("VGPU", 1)])
            let reply = await client.claim(consumer, [host: ["VCPU": 4, "MEMORY_MB": 100], device: ["VGPU": 2]])
            #expect(reply.status == .conflict)
            let usages = await client.send(.get, "/resource_providers/\(host)/usages").json["usages"]
            #expect(usages == ["VCPU": 0, "MEMORY_MB": 0])
            #expect(await client.generation(of: host) == 1)
            // There is no consumer either: the next claim is its first.
            #expect(await client.claim(consumer, [host: ["VCPU": 4]]).status == .noContent)
        }
    }

    @Test("Allocation candidates reflect every change at once")
    func candidatesFollow() async throws {
        try await PlacementClient.runAsAdmin { _, client in
            let query = "/allocation_candidates?resources=VCPU:2"
            func count() async -> Int? { await client.send(.get, query).json["allocation_requests"]?.array?.count }
            #expect(await count() == 0)
            try await client.provider(host, [("VCPU", 3)])
            #expect(await count() == 1)
            #expect(await client.claim(consumer, [host: ["VCPU": 2]]).status == .noContent)
            #expect(await count() == 0)
            #expect(await client.send(.delete, "/allocations/\(consumer)").status == .noContent)
            #expect(await count() == 1)
        }
    }

    @Test("Allocation candidates cost no transaction while nothing was committed")
    func candidatesCostNothing() async throws {
        try await PlacementClient.runAsAdmin { cloud, client in
            try await client.provider(host, [("VCPU", 3)])
            _ = await client.send(.get, "/allocation_candidates?resources=VCPU:1")
            let before = cloud.database.transactions
            for _ in 0..<5 { #expect(await client.send(.get, "/allocation_candidates?resources=VCPU:1").status == .ok) }
            #expect(cloud.database.transactions == before)
        }
    }

    @Test("Trees and shared pools serve a request together, and the mappings name the provider of each group")
    func treesAndPools() async throws {
        try await PlacementClient.runAsAdmin { _, client in
            try await client.provider(host, [("VCPU", 4)])
            try await client.provider(device, parent: host, [("VGPU", 1)])
            try await client.provider(pool, [("DISK_GB", 100)])
            let traits = await client.send(
                .put, "/resource_providers/\(pool)/traits",
                ["resource_provider_generation": 1, "traits": ["MISC_SHARES_VIA_AGGREGATE"]])
            #expect(traits.status == .ok)
            for (id, generation) in [(pool, 2), (host, 1)] as [(String, Int64)] {
                let set = await client.send(
                    .put, "/resource_providers/\(id)/aggregates",
                    ["resource_provider_generation": .integer(generation), "aggregates": [.string(PlacementClient.id(0xa))]])
                #expect(set.status == .ok)
            }
            let found = await client.send(.get, "/allocation_candidates?resources=VCPU:1,DISK_GB:10&resources_GPU=VGPU:1").json
            let requests = try #require(found["allocation_requests"]?.array)
            #expect(requests.count == 1)
            #expect(requests.first?["mappings"]?["_GPU"] == [.string(device)])
            #expect(requests.first?["allocations"]?[pool]?["resources"] == ["DISK_GB": 10])
            #expect(found["provider_summaries"]?.object?.count == 3)
            let isolated = await client.send(
                .get, "/allocation_candidates?resources1=VGPU:1&resources2=VGPU:1&group_policy=isolate").json
            #expect(isolated["allocation_requests"] == [])
        }
    }
}
