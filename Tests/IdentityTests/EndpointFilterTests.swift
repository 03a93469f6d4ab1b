import CloudCore
import HTTPTypes
import TestSupport
import Testing

/// Groups of endpoints, and the endpoints that projects are shown.
@Suite struct EndpointFilterTests {
    private static let base = "/v3/OS-EP-FILTER"
    private static let groups = "/v3/OS-EP-FILTER/endpoint_groups"

    private func endpoint(_ stage: Stage, _ service: String, _ interface: String = "public", region: String? = nil) async throws -> String {
        var members: JSONObject = ["service_id": .string(service), "interface": .string(interface), "url": "http://a.test"]
        if let region { members["region_id"] = .string(region) }
        return try await stage.make("/v3/endpoints", "endpoint", .object(members))
    }

    private func group(_ stage: Stage, _ filters: JSON, name: String = "some") async throws -> String {
        try await stage.make(Self.groups, "endpoint_group", ["name": .string(name), "filters": filters])
    }

    private func ids(_ stage: Stage, _ path: String, _ noun: String) async -> Set<String> {
        Set(await stage.send(.get, path, as: stage.admin, .ok)[noun]?.array?.compactMap { $0["id"]?.string } ?? [])
    }

    @Test func endpointGroupsAreMadeChangedAndShown() async throws {
        try await Stage.run { stage in
            let body: JSON = ["endpoint_group": ["name": "out", "description": "d", "filters": ["interface": "public"]]]
            let made = await stage.send(.post, Self.groups, body, as: stage.admin, .created)
            let id = try #require(made["endpoint_group"]?["id"]?.string)
            #expect(
                made["endpoint_group"]
                    == [
                        "id": .string(id), "name": "out", "description": "d", "filters": ["interface": "public"],
                        "links": ["self": .string("\(TestCloud.url)\(Self.groups)/\(id)")],
                    ])
            let change: JSON = ["endpoint_group": ["filters": ["region_id": "west"]]]
            let changed = await stage.send(.patch, "\(Self.groups)/\(id)", change, as: stage.admin, .ok)
            #expect(changed["endpoint_group"]?["filters"] == ["region_id": "west"])
            #expect(changed["endpoint_group"]?["name"] == "out")
            _ = try await group(stage, ["interface": "admin"], name: "in")
            #expect(await ids(stage, "\(Self.groups)?name=out", "endpoint_groups") == [id])
            _ = await stage.send(.delete, "\(Self.groups)/\(id)", as: stage.admin, .noContent)
            _ = await stage.send(.get, "\(Self.groups)/\(id)", as: stage.admin, .notFound)
        }
    }

    @Test func routesOfGroupsRefuseCallersWithoutRights() async throws {
        try await Stage.run { stage in
            let one = "\(Self.groups)/\(try await group(stage, ["interface": "public"]))"
            let none = "\(Self.groups)/none"
            let body: JSON = ["endpoint_group": ["name": "x", "filters": ["interface": "public"]]]
            await stage.guarded(.get, Self.groups)
            await stage.guarded(.post, Self.groups, body)
            await stage.guarded(.get, one, missing: none)
            await stage.guarded(.patch, one, body, missing: none)
            await stage.guarded(.delete, one, missing: none)
            await stage.guarded(.get, "\(one)/endpoints", missing: "\(none)/endpoints")
            await stage.guarded(.get, "\(one)/projects", missing: "\(none)/projects")
            for method in [HTTPRequest.Method.put, .get, .head, .delete] {
                await stage.guarded(method, "\(one)/projects/\(stage.demoProject)", missing: "\(one)/projects/none")
                _ = await stage.send(method, "\(none)/projects/\(stage.demoProject)", as: stage.admin, .notFound)
                // The steps must not depend on each other.
                _ = await stage.send(.delete, "\(one)/projects/\(stage.demoProject)", as: stage.admin, .notFound)
            }
            await stage.refuses(
                .post, Self.groups,
                [
                    [:], ["endpoint_group": ["name": "x"]], ["endpoint_group": ["name": "x", "filters": [:]]],
                    ["endpoint_group": ["name": "x", "filters": ["url": "u"]]],
                    ["endpoint_group": ["name": "x", "filters": ["enabled": true]]],
                    ["endpoint_group": ["name": "x", "filters": ["interface": "inner"]]],
                    ["endpoint_group": ["name": "", "filters": ["interface": "public"]]],
                    ["endpoint_group": ["name": "x", "filters": ["interface": "public"], "more": 1]],
                ])
            await stage.refuses(.patch, one, [[:], ["endpoint_group": [:]], ["endpoint_group": ["filters": ["url": "u"]]], ["endpoint_group": ["id": "x"]]])
        }
    }

    @Test func routesOfEndpointsRefuseCallersWithoutRights() async throws {
        try await Stage.run { stage in
            let endpoint = try await endpoint(stage, try await stage.service("volume"))
            let project = "\(Self.base)/projects/\(stage.demoProject)"
            await stage.guarded(.get, "\(Self.base)/endpoints/\(endpoint)/projects", missing: "\(Self.base)/endpoints/none/projects")
            await stage.guarded(.get, "\(project)/endpoints", missing: "\(Self.base)/projects/none/endpoints")
            await stage.guarded(.get, "\(project)/endpoint_groups", missing: "\(Self.base)/projects/none/endpoint_groups")
            for method in [HTTPRequest.Method.put, .get, .head, .delete] {
                await stage.guarded(method, "\(project)/endpoints/\(endpoint)", missing: "\(project)/endpoints/none")
                _ = await stage.send(method, "\(Self.base)/projects/none/endpoints/\(endpoint)", as: stage.admin, .notFound)
            }
        }
    }

    @Test func aProjectSeesItsEndpointsAndEndpointGroups() async throws {
        try await Stage.run { stage in
            let service = try await stage.service("volume")
            _ = try await stage.make("/v3/regions", "region", ["id": "west"])
            let (own, inner, placed) = (
                try await endpoint(stage, service), try await endpoint(stage, service, "internal"),
                try await endpoint(stage, service, "admin", region: "west")
            )
            let group = try await group(stage, ["service_id": .string(service), "interface": "internal"])
            let project = "\(Self.base)/projects/\(stage.demoProject)"
            _ = await stage.send(.put, "\(project)/endpoints/\(own)", as: stage.admin, .noContent)
            _ = await stage.send(.put, "\(project)/endpoints/\(own)", as: stage.admin, .conflict)
            _ = await stage.send(.head, "\(project)/endpoints/\(own)", as: stage.admin, .noContent)
            _ = await stage.send(.get, "\(project)/endpoints/\(inner)", as: stage.admin, .notFound)
            let membership = "\(Self.groups)/\(group)/projects/\(stage.demoProject)"
            _ = await stage.send(.put, membership, as: stage.admin, .noContent)
            _ = await stage.send(.put, membership, as: stage.admin, .conflict)
            #expect(
                await stage.send(.get, membership, as: stage.admin, .ok)["project_endpoint_group"]
                    == [
                        "endpoint_group_id": .string(group), "project_id": .string(stage.demoProject),
                        "links": ["self": .string(TestCloud.url + membership)],
                    ])
            #expect(await ids(stage, "\(project)/endpoints", "endpoints") == [own, inner])
            #expect(await ids(stage, "\(project)/endpoint_groups", "endpoint_groups") == [group])
            #expect(await ids(stage, "\(Self.groups)/\(group)/endpoints", "endpoints") == [inner])
            #expect(await ids(stage, "\(Self.groups)/\(group)/projects", "projects") == [stage.demoProject])
            #expect(await ids(stage, "\(Self.base)/endpoints/\(own)/projects", "projects") == [stage.demoProject])
            // The catalog of the project's tokens contains only these.
            let catalog = await stage.send(.get, "/v3/auth/catalog", as: stage.demo, .ok)["catalog"]?.array ?? []
            let seen = catalog.flatMap { $0["endpoints"]?.array ?? [] }.compactMap { $0["id"]?.string }
            #expect(Set(seen) == [own, inner])
            _ = await stage.send(.delete, membership, as: stage.admin, .noContent)
            _ = await stage.send(.delete, "\(project)/endpoints/\(own)", as: stage.admin, .noContent)
            #expect(await ids(stage, "\(project)/endpoints", "endpoints") == [])
            // A region that is null matches endpoints without a region, not all endpoints.
            let nowhere = try await self.group(stage, ["region_id": nil, "service_id": .string(service)], name: "nowhere")
            #expect(await ids(stage, "\(Self.groups)/\(nowhere)/endpoints", "endpoints") == [own, inner])
            _ = placed
        }
    }
}
