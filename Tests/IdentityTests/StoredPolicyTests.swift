import CloudCore
import HTTPTypes
import TestSupport
import Testing

/// Tests of stored policies and their associations with services, regions and endpoints.
@Suite struct StoredPolicyTests {
    private static let path = "/v3/policies"

    private func policy(_ stage: Stage, _ blob: String = "{}") async throws -> String {
        try await stage.make(Self.path, "policy", ["type": "application/json", "blob": .string(blob)])
    }

    private func endpoint(_ stage: Stage, _ service: String, region: String? = nil) async throws -> String {
        var members: JSONObject = ["service_id": .string(service), "interface": "public", "url": "http://a.test"]
        if let region { members["region_id"] = .string(region) }
        return try await stage.make("/v3/endpoints", "endpoint", .object(members))
    }

    @Test func aPolicyIsStoredAsItIs() async throws {
        try await Stage.run { stage in
            let body: JSON = ["policy": ["type": "text/plain", "blob": "a: b", "note": "mine"]]
            let made = await stage.send(.post, Self.path, body, as: stage.admin, .created)
            let one = "\(Self.path)/\(try #require(made["policy"]?["id"]?.string))"
            #expect(await stage.send(.get, one, as: stage.admin, .ok) == made)
            #expect(made["policy"]?["note"] == "mine")
            #expect(made["policy"]?["links"]?["self"]?.string == TestCloud.url + one)
            let changed = await stage.send(.patch, one, ["policy": ["blob": "c"]], as: stage.admin, .ok)
            #expect(changed["policy"]?["blob"] == "c")
            #expect(changed["policy"]?["type"] == "text/plain")
            _ = try await policy(stage)
            #expect(await stage.send(.get, "\(Self.path)?type=text/plain", as: stage.admin, .ok)["policies"]?.array?.count == 1)
            _ = await stage.send(.delete, one, as: stage.admin, .noContent)
            _ = await stage.send(.get, one, as: stage.admin, .notFound)
        }
    }

    @Test func everyRouteRefusesCallersWithoutRights() async throws {
        try await Stage.run { stage in
            let one = "\(Self.path)/\(try await policy(stage))"
            let none = "\(Self.path)/none"
            let body: JSON = ["policy": ["type": "t", "blob": "b"]]
            await stage.guarded(.get, Self.path)
            await stage.guarded(.post, Self.path, body)
            await stage.guarded(.get, one, missing: none)
            await stage.guarded(.patch, one, body, missing: none)
            await stage.guarded(.delete, one, missing: none)
            await stage.refuses(.post, Self.path, [[:], ["policy": ["type": "t"]], ["policy": ["blob": "b"]], ["policy": ["type": "t", "blob": [:]]]])
            await stage.refuses(.patch, one, [[:], ["policy": [:]], ["policy": ["type": 1]], ["policy": ["id": "other"]]])
            let service = try await stage.service("volume")
            let endpoint = try await endpoint(stage, service)
            let region = try await stage.make("/v3/regions", "region", ["id": "west"])
            let places = ["endpoints/\(endpoint)", "services/\(service)", "services/\(service)/regions/\(region)"]
            for place in places {
                for method in [HTTPRequest.Method.put, .get, .head, .delete] {
                    await stage.guarded(method, "\(one)/OS-ENDPOINT-POLICY/\(place)", missing: "\(none)/OS-ENDPOINT-POLICY/\(place)")
                }
            }
            for place in ["endpoints/none", "services/none", "services/none/regions/west", "services/\(service)/regions/none"] {
                _ = await stage.send(.put, "\(one)/OS-ENDPOINT-POLICY/\(place)", as: stage.admin, .notFound)
            }
            await stage.guarded(.get, "\(one)/OS-ENDPOINT-POLICY/endpoints", missing: "\(none)/OS-ENDPOINT-POLICY/endpoints")
            await stage.guarded(
                .get, "/v3/endpoints/\(endpoint)/OS-ENDPOINT-POLICY/policy", missing: "/v3/endpoints/none/OS-ENDPOINT-POLICY/policy")
        }
    }

    @Test func aNewPolicyOfAServiceReplacesTheOldOne() async throws {
        try await Stage.run { stage in
            let service = try await stage.service("volume")
            let (first, second) = (try await policy(stage), try await policy(stage))
            func place(_ policy: String) -> String { "\(Self.path)/\(policy)/OS-ENDPOINT-POLICY/services/\(service)" }
            _ = await stage.send(.get, place(first), as: stage.admin, .notFound)
            _ = await stage.send(.put, place(first), as: stage.admin, .noContent)
            _ = await stage.send(.put, place(first), as: stage.admin, .noContent)
            _ = await stage.send(.head, place(first), as: stage.admin, .noContent)
            _ = await stage.send(.put, place(second), as: stage.admin, .noContent)
            _ = await stage.send(.get, place(first), as: stage.admin, .notFound)
            _ = await stage.send(.delete, place(first), as: stage.admin, .noContent)
            _ = await stage.send(.get, place(second), as: stage.admin, .noContent)
            _ = await stage.send(.delete, place(second), as: stage.admin, .noContent)
            _ = await stage.send(.get, place(second), as: stage.admin, .notFound)
        }
    }

    @Test func anEndpointGetsTheMostSpecificPolicy() async throws {
        try await Stage.run { stage in
            let service = try await stage.service("volume")
            _ = try await stage.make("/v3/regions", "region", ["id": "land"])
            _ = try await stage.make("/v3/regions", "region", ["id": "town", "parent_region_id": "land"])
            let endpoint = try await endpoint(stage, service, region: "town")
            let other = try await self.endpoint(stage, service)
            let path = "/v3/endpoints/\(endpoint)/OS-ENDPOINT-POLICY/policy"
            _ = await stage.send(.get, path, as: stage.admin, .notFound)
            let places = ["services/\(service)", "services/\(service)/regions/land", "services/\(service)/regions/town", "endpoints/\(endpoint)"]
            var policies: [String] = []
            for place in places {
                let policy = try await policy(stage)
                policies.append(policy)
                _ = await stage.send(.put, "\(Self.path)/\(policy)/OS-ENDPOINT-POLICY/\(place)", as: stage.admin, .noContent)
                #expect(await stage.send(.get, path, as: stage.admin, .ok)["policy"]?["id"]?.string == policy)
            }
            func endpoints(_ policy: String) async -> Set<String> {
                let listed = await stage.send(.get, "\(Self.path)/\(policy)/OS-ENDPOINT-POLICY/endpoints", as: stage.admin, .ok)
                return Set(listed["endpoints"]?.array?.compactMap { $0["id"]?.string } ?? [])
            }
            #expect(await endpoints(policies[0]) == [endpoint, other])
            for policy in policies.dropFirst() { #expect(await endpoints(policy) == [endpoint]) }
            _ = await stage.send(.delete, "\(Self.path)/\(policies[3])", as: stage.admin, .noContent)
            #expect(await stage.send(.get, path, as: stage.admin, .ok)["policy"]?["id"]?.string == policies[2])
        }
    }
}
