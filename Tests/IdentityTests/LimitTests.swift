import CloudCore
import ControlPlane
import HTTPTypes
import TestSupport
import Testing

@Suite struct LimitTests {
    private static let registered = "/v3/registered_limits"
    private static let limits = "/v3/limits"

    private func registration(_ service: String, _ name: String = "volume", _ limit: Int64 = 10, region: String? = nil) -> JSON {
        var members: JSONObject = ["service_id": .string(service), "resource_name": .string(name), "default_limit": .integer(limit)]
        if let region { members["region_id"] = .string(region) }
        return .object(members)
    }

    private func register(_ stage: Stage, _ registrations: JSON...) async throws -> [String] {
        let made = await stage.send(.post, Self.registered, ["registered_limits": .array(registrations)], as: stage.admin, .created)
        return made["registered_limits"]?.array?.compactMap { $0["id"]?.string } ?? []
    }

    private func limit(_ service: String, project: String? = nil, domain: String? = nil, _ limit: Int64, _ name: String = "volume") -> JSON {
        var members: JSONObject = ["service_id": .string(service), "resource_name": .string(name), "resource_limit": .integer(limit)]
        if let project { members["project_id"] = .string(project) }
        if let domain { members["domain_id"] = .string(domain) }
        return .object(members)
    }

    private func set(_ stage: Stage, _ limits: JSON..., expecting status: HTTPResponse.Status = .created) async -> [JSON] {
        await stage.send(.post, Self.limits, ["limits": .array(limits)], as: stage.admin, status)["limits"]?.array ?? []
    }

    // MARK: Registered limits

    @Test func severalLimitsAreRegisteredInOneRequest() async throws {
        try await Stage.run { stage in
            let service = try await stage.service("volume")
            let region = try await stage.make("/v3/regions", "region", ["id": "west"])
            let body: JSON = ["registered_limits": [registration(service), registration(service, region: region)]]
            let made = await stage.send(.post, Self.registered, body, as: stage.admin, .created)
            #expect(made["links"] == nil)
            let first = try #require(made["registered_limits"]?.array?.first)
            let id = try #require(first["id"]?.string)
            #expect(
                first
                    == [
                        "id": .string(id), "service_id": .string(service), "region_id": nil, "resource_name": "volume", "default_limit": 10,
                        "description": nil, "links": ["self": .string("\(TestCloud.url)\(Self.registered)/\(id)")],
                    ])
            #expect(await stage.send(.get, "\(Self.registered)/\(id)", as: stage.demo, .ok)["registered_limit"] == first)
            let listed = await stage.send(.get, "\(Self.registered)?region_id=west", as: stage.demo, .ok)
            #expect(listed["registered_limits"]?.array?.count == 1)
            #expect(await stage.send(.get, "\(Self.registered)?service_id=x", as: stage.demo, .ok)["registered_limits"] == [])
            let change: JSON = ["registered_limit": ["default_limit": -1, "description": "many"]]
            let changed = await stage.send(.patch, "\(Self.registered)/\(id)", change, as: stage.admin, .ok)
            #expect(changed["registered_limit"]?["default_limit"] == -1)
            #expect(changed["registered_limit"]?["description"] == "many")
            _ = await stage.send(.delete, "\(Self.registered)/\(id)", as: stage.admin, .noContent)
            _ = await stage.send(.get, "\(Self.registered)/\(id)", as: stage.admin, .notFound)
        }
    }

    @Test func eitherAllLimitsOfARequestAreRegisteredOrNone() async throws {
        try await Stage.run { stage in
            let service = try await stage.service("volume")
            let twice: JSON = ["registered_limits": [registration(service), registration(service)]]
            _ = await stage.send(.post, Self.registered, twice, as: stage.admin, .conflict)
            #expect(await stage.send(.get, Self.registered, as: stage.admin, .ok)["registered_limits"] == [])
            let ids = try await register(stage, registration(service), registration(service, "snapshot"))
            let same: JSON = ["registered_limit": ["resource_name": "snapshot"]]
            _ = await stage.send(.patch, "\(Self.registered)/\(ids[0])", same, as: stage.admin, .conflict)
            _ = await stage.send(.patch, "\(Self.registered)/\(ids[1])", same, as: stage.admin, .ok)
        }
    }

    @Test func routesOfRegisteredLimitsRefuseCallersWithoutRights() async throws {
        try await Stage.run { stage in
            let service = try await stage.service("volume")
            let one = "\(Self.registered)/\(try await register(stage, registration(service))[0])"
            let none = "\(Self.registered)/none"
            await stage.guarded(.post, Self.registered, ["registered_limits": [registration(service, "x")]])
            await stage.guarded(.patch, one, ["registered_limit": ["default_limit": 1]], missing: none)
            await stage.guarded(.delete, one, missing: none)
            _ = await stage.send(.get, one, as: nil, .unauthorized)
            _ = await stage.send(.get, none, as: stage.demo, .notFound)
            _ = await stage.send(.get, Self.registered, as: nil, .unauthorized)
            let bad: [JSON] = [
                [:], [1], ["service_id": .string(service), "resource_name": "x"], registration("none"), registration(service, "", 1),
                registration(service, "x", -2), registration(service, "x", 0x8000_0000), registration(service, region: "none"),
                ["service_id": .string(service), "resource_name": "x", "default_limit": 1, "more": 1],
                ["service_id": .string(service), "resource_name": "x", "default_limit": "1"],
            ]
            await stage.refuses(.post, Self.registered, [[:], ["registered_limits": []]] + bad.map { ["registered_limits": [$0]] })
            await stage.refuses(
                .patch, one, [[:], ["registered_limit": ["id": "x"]], ["registered_limit": ["service_id": "none"]], ["registered_limit": ["more": 1]]])
        }
    }

    @Test func aRegisteredLimitStaysWhileLimitsDependOnIt() async throws {
        try await Stage.run { stage in
            let service = try await stage.service("volume")
            let id = try await register(stage, registration(service))[0]
            let made = await set(stage, limit(service, project: stage.demoProject, 5))
            _ = await stage.send(.delete, "\(Self.registered)/\(id)", as: stage.admin, .forbidden)
            _ = await stage.send(.patch, "\(Self.registered)/\(id)", ["registered_limit": ["default_limit": 1]], as: stage.admin, .forbidden)
            _ = await stage.send(.delete, "\(Self.limits)/\(try #require(made[0]["id"]?.string))", as: stage.admin, .noContent)
            _ = await stage.send(.delete, "\(Self.registered)/\(id)", as: stage.admin, .noContent)
        }
    }

    // MARK: Limits

    @Test func limitsAreSetChangedAndShown() async throws {
        try await Stage.run { stage in
            let service = try await stage.service("volume")
            _ = try await register(stage, registration(service))
            let made = await set(stage, limit(service, project: stage.demoProject, 5), limit(service, domain: "default", 7))
            let id = try #require(made.first?["id"]?.string)
            #expect(
                made.first
                    == [
                        "id": .string(id), "project_id": .string(stage.demoProject), "domain_id": nil, "service_id": .string(service),
                        "region_id": nil, "resource_name": "volume", "resource_limit": 5, "description": nil,
                        "links": ["self": .string("\(TestCloud.url)\(Self.limits)/\(id)")],
                    ])
            #expect(await stage.send(.get, "\(Self.limits)/\(id)", as: stage.demo, .ok)["limit"] == made.first)
            let change: JSON = ["limit": ["resource_limit": 0, "description": "none"]]
            let changed = await stage.send(.patch, "\(Self.limits)/\(id)", change, as: stage.admin, .ok)
            #expect(changed["limit"]?["resource_limit"] == 0)
            _ = await stage.send(.delete, "\(Self.limits)/\(id)", as: stage.admin, .noContent)
            _ = await stage.send(.get, "\(Self.limits)/\(id)", as: stage.admin, .notFound)
        }
    }

    @Test func routesOfLimitsRefuseCallersWithoutRights() async throws {
        try await Stage.run { stage in
            let service = try await stage.service("volume")
            _ = try await register(stage, registration(service))
            let made = await set(stage, limit(service, domain: "default", 5))
            let one = "\(Self.limits)/\(try #require(made[0]["id"]?.string))"
            let none = "\(Self.limits)/none"
            await stage.guarded(.get, one, missing: none)
            await stage.guarded(.post, Self.limits, ["limits": [limit(service, project: stage.demoProject, 5)]])
            await stage.guarded(.patch, one, ["limit": ["resource_limit": 1]], missing: none)
            await stage.guarded(.delete, one, missing: none)
            _ = await stage.send(.get, Self.limits, as: nil, .unauthorized)
            _ = await stage.send(.get, "\(Self.limits)/model", as: nil, .unauthorized)
            let bad: [JSON] = [
                [:], limit(service, 1), limit(service, project: stage.demoProject, domain: "default", 1),
                limit(service, project: stage.demoProject, -2), limit("none", project: stage.demoProject, 1),
                limit(service, project: "none", 1), limit(service, domain: "none", 1), limit(service, domain: stage.demoProject, 1),
                ["service_id": .string(service), "resource_name": "volume", "resource_limit": 1, "project_id": nil],
            ]
            await stage.refuses(.post, Self.limits, [[:], ["limits": []]] + bad.map { ["limits": [$0]] })
            await stage.refuses(.patch, one, [[:], ["limit": ["project_id": "x"]], ["limit": ["resource_limit": "1"]], ["limit": ["service_id": "x"]]])
        }
    }

    @Test func aLimitNeedsARegisteredOneAndIsUnique() async throws {
        try await Stage.run { stage in
            let service = try await stage.service("volume")
            _ = try await register(stage, registration(service))
            _ = await set(stage, limit(service, project: stage.demoProject, 5, "snapshot"), expecting: .forbidden)
            _ = await set(stage, limit(service, project: stage.demoProject, 5))
            _ = await set(stage, limit(service, domain: "default", 5), limit(service, project: stage.demoProject, 6), expecting: .conflict)
            #expect(await stage.send(.get, Self.limits, as: stage.admin, .ok)["limits"]?.array?.count == 1)
            // A domain is also known as a project.
            let made = await set(stage, limit(service, project: "default", 5))
            #expect(made.first?["domain_id"] == "default")
            #expect(made.first?["project_id"]?.isNull == true)
        }
    }

    @Test func usersSeeTheLimitsOfTheirScope() async throws {
        try await Stage.run { stage in
            let service = try await stage.service("volume")
            _ = try await register(stage, registration(service))
            let other = try await stage.project("other")
            let domain = try await stage.make("/v3/domains", "domain", ["name": "away"])
            let away = try await stage.project("away", domain: domain)
            let made = await set(
                stage, limit(service, project: stage.demoProject, 1), limit(service, project: other, 2), limit(service, domain: "default", 3),
                limit(service, domain: domain, 4), limit(service, project: away, 5))
            let ids = made.compactMap { $0["id"]?.string }
            func seen(_ token: String, _ query: String = "") async -> Set<Int64> {
                let listed = await stage.send(.get, Self.limits + query, as: token, .ok)
                return Set(listed["limits"]?.array?.compactMap { $0["resource_limit"]?.integer } ?? [])
            }
            #expect(await seen(stage.admin) == [1, 2, 3, 4, 5])
            #expect(await seen(stage.admin, "?domain_id=\(domain)") == [4])
            #expect(await seen(stage.admin, "?project_id=\(away)&resource_name=volume") == [5])
            #expect(await seen(stage.demo) == [1])
            #expect(await seen(stage.demo, "?project_id=\(other)") == [])
            let service2 = try await stage.user("nova", role: "service").token
            #expect(await seen(service2) == [1, 2, 3, 4, 5])
            _ = await stage.send(.get, "\(Self.limits)/\(ids[0])", as: stage.demo, .ok)
            _ = await stage.send(.get, "\(Self.limits)/\(ids[1])", as: stage.demo, .forbidden)
            _ = await stage.send(.get, "\(Self.limits)/\(ids[2])", as: stage.demo, .forbidden)
            let reader = try await stage.role("reader")
            _ = await stage.send(.put, "/v3/domains/\(domain)/users/\(stage.demoID)/roles/\(reader)", as: stage.admin, .noContent)
            let onDomain = try await stage.token(ofDemoOn: ["domain": ["id": .string(domain)]])
            #expect(await seen(onDomain) == [4, 5])
            _ = await stage.send(.get, "\(Self.limits)/\(ids[3])", as: onDomain, .ok)
            _ = await stage.send(.get, "\(Self.limits)/\(ids[4])", as: onDomain, .ok)
            _ = await stage.send(.get, "\(Self.limits)/\(ids[2])", as: onDomain, .forbidden)
            #expect(await seen(try await stage.token(ofDemoOn: "unscoped")) == [])
        }
    }

    // MARK: Models

    @Test func theEnforcementModelIsShown() async throws {
        try await Stage.run { stage in
            #expect(await stage.send(.get, "\(Self.limits)/model", as: stage.demo, .ok)["model"]?["name"] == "flat")
        }
        try await Stage.run { $0.limits.enforcementModel = "strict_two_level" } _: { stage in
            #expect(await stage.send(.get, "\(Self.limits)/model", as: stage.demo, .ok)["model"]?["name"] == "strict_two_level")
        }
    }

    @Test func inTheModelOfTwoStrictLevelsNoProjectHasMoreThanItsDomain() async throws {
        try await Stage.run { $0.limits.enforcementModel = "strict_two_level" } _: { stage in
            let service = try await stage.service("volume")
            _ = try await register(stage, registration(service))
            let project = stage.demoProject
            // The registered limit counts as the domain's as long as the domain has none.
            _ = await set(stage, limit(service, project: project, 11), expecting: .forbidden)
            _ = await set(stage, limit(service, project: project, -1), expecting: .forbidden)
            _ = await set(stage, limit(service, domain: "default", 20), limit(service, project: project, 21), expecting: .forbidden)
            let made = await set(stage, limit(service, domain: "default", 20), limit(service, project: project, 20))
            let domain = "\(Self.limits)/\(try #require(made[0]["id"]?.string))"
            let own = "\(Self.limits)/\(try #require(made[1]["id"]?.string))"
            func change(_ path: String, _ limit: Int64, _ expected: HTTPResponse.Status) async {
                _ = await stage.send(.patch, path, ["limit": ["resource_limit": .integer(limit)]], as: stage.admin, expected)
            }
            await change(own, 21, .forbidden)
            await change(domain, 19, .forbidden)
            await change(own, 19, .ok)
            await change(domain, 19, .ok)
            await change(domain, -1, .ok)
            await change(own, 1_000_000, .ok)
        }
    }

    @Test func flatLimitsAreIndependentOfEachOther() async throws {
        try await Stage.run { stage in
            let service = try await stage.service("volume")
            _ = try await register(stage, registration(service))
            _ = await set(stage, limit(service, domain: "default", 1), limit(service, project: stage.demoProject, 100))
        }
    }
}
