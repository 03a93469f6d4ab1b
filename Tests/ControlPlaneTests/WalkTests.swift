import CloudCore
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

/// A long sequence of requests to Identity on both databases. It finds SQL that only one of them accepts.
/// `NOVELLA_TEST_DATABASE=postgresql swift test --filter IdentityTests` runs all other tests on PostgreSQL.
@Suite struct WalkTests {
    /// Sends requests as one caller, and checks the status of each.
    private struct Walker {
        let cloud: TestCloud
        let token: String

        @discardableResult
        func ask(
            _ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil, _ expected: HTTPResponse.Status = .ok,
            at location: SourceLocation = #_sourceLocation
        ) async -> JSON {
            let response = await cloud.send(method, path, token: token, json: json)
            #expect(response.status == expected, "\(method) \(path): \(response.text)", sourceLocation: location)
            return response.json
        }

        func make(_ path: String, _ noun: String, _ members: JSON, at location: SourceLocation = #_sourceLocation) async throws -> String {
            let made = await ask(.post, path, [noun: members], .created, at: location)
            return try #require(made[noun]?["id"]?.string, sourceLocation: location)
        }

        func names(_ path: String, _ list: String, at location: SourceLocation = #_sourceLocation) async -> [String] {
            await ask(.get, path, at: location)[list]?.array?.compactMap { $0["name"]?.string } ?? []
        }
    }

    private func walk(_ kind: DatabaseKind, _ body: (Walker) async throws -> Void) async throws {
        try await TestCloud.run(on: kind) { try await body(Walker(cloud: $0, token: try await $0.token())) }
    }

    @Test(arguments: DatabaseKind.allCases)
    func domainsAndTheTreeOfProjectsWorkOnBothDatabases(kind: DatabaseKind) async throws {
        try await walk(kind) { me in
            let domain = try await me.make("/v3/domains", "domain", ["name": "Süd", "description": "it's \"quoted\" \\ % _"])
            let top = try await me.make("/v3/projects", "project", ["name": "top", "domain_id": .string(domain), "tags": ["a", "b"]])
            let leaf = try await me.make("/v3/projects", "project", ["name": "leaf", "parent_id": .string(top)])
            await me.ask(.post, "/v3/projects", ["project": ["name": "leaf", "domain_id": .string(domain)]], .conflict)
            #expect(await me.ask(.get, "/v3/domains/\(domain)")["domain"]?["description"]?.string == "it's \"quoted\" \\ % _")
            let below = await me.ask(.get, "/v3/projects/\(top)?subtree_as_ids")
            #expect(below["project"]?["subtree"] == .object([leaf: nil]))
            #expect(await me.names("/v3/projects?tags=a,b", "projects") == ["top"])
            #expect(await me.names("/v3/projects?domain_id=\(domain)&sort_key=name&sort_dir=desc", "projects") == ["top", "leaf"])
            #expect(await me.names("/v3/projects?name__icontains=EA", "projects") == ["leaf"])
            #expect(await me.names("/v3/projects?enabled=false", "projects") == [])
            await me.ask(.put, "/v3/projects/\(leaf)/tags/new%20one", nil, .created)
            await me.ask(.patch, "/v3/projects/\(leaf)", ["project": ["description": "é", "own": ["a": [1, nil]]]])
            #expect(await me.ask(.get, "/v3/projects/\(leaf)")["project"]?["own"] == ["a": [1, nil]])
            await me.ask(.delete, "/v3/projects/\(top)", nil, .forbidden)
            await me.ask(.delete, "/v3/domains/\(domain)", nil, .forbidden)
            await me.ask(.patch, "/v3/domains/\(domain)", ["domain": ["enabled": false]])
            await me.ask(.delete, "/v3/domains/\(domain)", nil, .noContent)
            await me.ask(.get, "/v3/projects/\(leaf)", nil, .notFound)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func usersGroupsRolesAndGrantsWorkOnBothDatabases(kind: DatabaseKind) async throws {
        try await walk(kind) { me in
            let project = try await me.make("/v3/projects", "project", ["name": "p"])
            let user = try await me.make("/v3/users", "user", ["name": "u", "password": "the-first-of-u", "email": "u@x"])
            let group = try await me.make("/v3/groups", "group", ["name": "g"])
            let role = try await me.make("/v3/roles", "role", ["name": "own"])
            await me.ask(.post, "/v3/users", ["user": ["name": "u"]], .conflict)
            await me.ask(.put, "/v3/groups/\(group)/users/\(user)", nil, .noContent)
            await me.ask(.head, "/v3/groups/\(group)/users/\(user)", nil, .noContent)
            #expect(await me.names("/v3/users/\(user)/groups", "groups") == ["g"])
            await me.ask(.put, "/v3/projects/\(project)/groups/\(group)/roles/\(role)", nil, .noContent)
            await me.ask(.put, "/v3/domains/default/users/\(user)/roles/\(role)", nil, .noContent)
            await me.ask(.put, "/v3/OS-INHERIT/domains/default/users/\(user)/roles/\(role)/inherited_to_projects", nil, .noContent)
            let given = await me.ask(.get, "/v3/role_assignments?effective&user.id=\(user)&scope.project.id=\(project)&include_names")
            #expect((given["role_assignments"]?.array?.count ?? 0) >= 1)
            let token = try await me.cloud.token(user: "u", password: "the-first-of-u", project: "p")
            let own = Walker(cloud: me.cloud, token: token)
            #expect(await own.names("/v3/auth/projects", "projects").contains("p"))
            await own.ask(
                .post, "/v3/users/\(user)/password", ["user": ["password": "the-second-of-u", "original_password": "the-first-of-u"]],
                .noContent)
            await own.ask(.get, "/v3/auth/projects", nil, .unauthorized)
            // A new password revokes tokens of the same microsecond and older ones.
            me.cloud.clock.advance(by: .seconds(1))
            let again = Walker(cloud: me.cloud, token: try await me.cloud.token(user: "u", password: "the-second-of-u", project: "p"))
            let credential = try await me.make("/v3/credentials", "credential", ["user_id": .string(user), "type": "cert", "blob": "x"])
            #expect(await me.ask(.get, "/v3/credentials/\(credential)")["credential"]?["blob"]?.string == "x")
            await me.ask(.post, "/v3/users/\(user)/credentials/OS-EC2", ["tenant_id": .string(project)], .created)
            await me.ask(.delete, "/v3/roles/\(role)", nil, .noContent)
            await again.ask(.get, "/v3/auth/projects", nil, .unauthorized)
            await me.ask(.delete, "/v3/users/\(user)", nil, .noContent)
            await me.ask(.get, "/v3/credentials/\(credential)", nil, .notFound)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func theCatalogAndLimitsWorkOnBothDatabases(kind: DatabaseKind) async throws {
        try await walk(kind) { me in
            await me.ask(.put, "/v3/regions/west", ["region": ["description": "w"]], .created)
            let service = try await me.make("/v3/services", "service", ["type": "compute", "name": "c"])
            let endpoint = try await me.make(
                "/v3/endpoints", "endpoint",
                ["interface": "public", "region_id": "west", "service_id": .string(service), "url": "http://c/v2.1"])
            #expect(await me.ask(.get, "/v3/endpoints?interface=public&service_id=\(service)")["endpoints"]?.array?.count == 1)
            let catalog = await me.ask(.get, "/v3/auth/catalog")["catalog"]?.array ?? []
            #expect(catalog.contains { $0["type"]?.string == "compute" })
            let registered = await me.ask(
                .post, "/v3/registered_limits",
                ["registered_limits": [["service_id": .string(service), "resource_name": "cores", "default_limit": 10]]], .created)
            let id = try #require(registered["registered_limits"]?.array?.first?["id"]?.string)
            await me.ask(.patch, "/v3/registered_limits/\(id)", ["registered_limit": ["default_limit": 20]])
            // The limits and endpoints of a service are deleted with it.
            await me.ask(.delete, "/v3/services/\(service)", nil, .noContent)
            await me.ask(.get, "/v3/registered_limits/\(id)", nil, .notFound)
            await me.ask(.get, "/v3/endpoints/\(endpoint)", nil, .notFound)
            await me.ask(.delete, "/v3/regions/west", nil, .noContent)
        }
    }
}
