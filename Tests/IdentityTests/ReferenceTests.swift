import CloudCore
import ControlPlane
import HTTPTypes
import TestSupport
import Testing

/// The answers in which Identity follows the reference, and those in which it differs on purpose (docs/conformance.md).
@Suite("Answers compared with the reference") struct ReferenceTests {
    private func registered(_ stage: Stage, _ members: JSONObject) async -> JSON {
        var limit = members
        limit["resource_name"] = "x"
        limit["default_limit"] = 5
        return await stage.send(.post, "/v3/registered_limits", ["registered_limits": [.object(limit)]], as: stage.admin, .created)
    }

    @Test("Deleting a service deletes its registered limits and limits", arguments: DatabaseKind.allCases)
    func services(kind: DatabaseKind) async throws {
        try await TestCloud.run(on: kind) { cloud in
            let stage = try await Stage(cloud)
            let service = try await stage.service("volume")
            _ = await registered(stage, ["service_id": .string(service)])
            let limit: JSON = [
                "service_id": .string(service), "resource_name": "x", "resource_limit": 2, "project_id": .string(stage.demoProject),
            ]
            _ = await stage.send(.post, "/v3/limits", ["limits": [limit]], as: stage.admin, .created)
            _ = await stage.send(.delete, "/v3/services/\(service)", as: stage.admin, .noContent)
            #expect(await stage.send(.get, "/v3/registered_limits", as: stage.admin, .ok)["registered_limits"] == [])
            #expect(await stage.send(.get, "/v3/limits", as: stage.admin, .ok)["limits"] == [])
        }
    }

    @Test(
        "Deleting a region deletes the regions within it, unless endpoints are in one of them",
        arguments: DatabaseKind.allCases)
    func regions(kind: DatabaseKind) async throws {
        try await TestCloud.run(on: kind) { cloud in
            let stage = try await Stage(cloud)
            for (id, parent) in [("land", nil), ("town", "land"), ("street", "town"), ("other", nil)] as [(String, String?)] {
                let parent = parent.map { JSON.string($0) } ?? .null
                _ = try await stage.make("/v3/regions", "region", ["id": .string(id), "parent_region_id": parent])
            }
            let service = try await stage.service("volume")
            _ = await registered(stage, ["service_id": .string(service), "region_id": "town"])
            let place: JSON = ["service_id": .string(service), "interface": "public", "region_id": "street", "url": "http://x"]
            let endpoint = try await stage.make("/v3/endpoints", "endpoint", place)
            _ = await stage.send(.delete, "/v3/regions/land", as: stage.admin, .forbidden)
            _ = await stage.send(.get, "/v3/regions/town", as: stage.admin, .ok)
            _ = await stage.send(.delete, "/v3/endpoints/\(endpoint)", as: stage.admin, .noContent)
            _ = await stage.send(.delete, "/v3/regions/land", as: stage.admin, .noContent)
            for id in ["land", "town", "street"] { _ = await stage.send(.get, "/v3/regions/\(id)", as: stage.admin, .notFound) }
            _ = await stage.send(.get, "/v3/regions/other", as: stage.admin, .ok)
            #expect(await stage.send(.get, "/v3/registered_limits", as: stage.admin, .ok)["registered_limits"] == [])
        }
    }

    @Test("Access rules are returned in the order of the request, each once")
    func orderOfRules() async throws {
        try await Delegation.run { it in
            let paths = (0..<12).map { "/v2.1/\(($0 * 7) % 12)" }
            let rules = (paths + [paths[3]]).map { JSON.object(["service": "compute", "method": "GET", "path": .string($0)]) }
            let made = await it.postCredential(["access_rules": .array(rules)])
            func shown(_ json: JSON?) -> [String] { json?["access_rules"]?.array?.compactMap { $0["path"]?.string } ?? [] }
            let credential = try #require(made.json["application_credential"], "\(made.text)")
            #expect(shown(credential) == paths)
            let path = "/v3/users/\(it.alice)/application_credentials/\(credential["id"]?.string ?? "")"
            #expect(shown(await it.cloud.send(.get, path, token: it.token).json["application_credential"]) == paths)
            let many = (0...100).map { JSON.object(["service": "compute", "method": "GET", "path": .string("/\($0)")]) }
            #expect(await it.postCredential(["name": "many", "access_rules": .array(many)]).status == .badRequest)
        }
    }

    @Test("A domain's role can be granted on any domain, but not on projects of another domain or on the system")
    func domainRoles() async throws {
        try await Stage.run { stage in
            let domain = try await stage.make("/v3/domains", "domain", ["name": "guild"])
            let role = try await stage.make("/v3/roles", "role", ["name": "own", "domain_id": .string(domain)])
            let user = "users/\(stage.demoID)/roles/\(role)"
            for place in ["/v3/domains/default/\(user)", "/v3/domains/\(domain)/\(user)", "/v3/OS-INHERIT/domains/default/\(user)/inherited_to_projects"] {
                _ = await stage.send(.put, place, as: stage.admin, .noContent)
                _ = await stage.send(.head, place, as: stage.admin, .noContent)
            }
            _ = await stage.send(.put, "/v3/projects/\(stage.demoProject)/\(user)", as: stage.admin, .forbidden)
            _ = await stage.send(.put, "/v3/OS-INHERIT/projects/\(stage.demoProject)/\(user)/inherited_to_projects", as: stage.admin, .forbidden)
            _ = await stage.send(.put, "/v3/system/\(user)", as: stage.admin, .badRequest)
        }
    }

    @Test(
        "A missing thing is a 404 for an administrator and a 403 for others",
        arguments: [
            (HTTPRequest.Method.patch, "/v3/domains/none", "domain"), (.delete, "/v3/domains/none", nil), (.get, "/v3/projects/none", nil),
            (.patch, "/v3/projects/none", "project"), (.delete, "/v3/groups/none", nil), (.patch, "/v3/groups/none", "group"),
            (.delete, "/v3/roles/none", nil), (.patch, "/v3/roles/none", "role"), (.get, "/v3/users/none", nil), (.patch, "/v3/users/none", "user"),
            (.delete, "/v3/users/none", nil), (.get, "/v3/credentials/none", nil), (.delete, "/v3/services/none", nil),
            (.delete, "/v3/endpoints/none", nil), (.delete, "/v3/regions/none", nil), (.get, "/v3/users/none/credentials/OS-EC2/none", nil),
            (.delete, "/v3/users/none/credentials/OS-EC2/none", nil),
        ] as [(HTTPRequest.Method, String, String?)])
    func whatIsNotThere(method: HTTPRequest.Method, path: String, noun: String?) async throws {
        try await Stage.run { stage in
            let body = noun.map { JSON.object([$0: ["description": "x"]]) }
            _ = await stage.send(method, path, body, as: stage.admin, .notFound)
            _ = await stage.send(method, path, body, as: stage.demo, .forbidden)
        }
    }

    @Test("A query may name at most as many tags as a project may have", arguments: ["tags", "tags-any", "not-tags", "not-tags-any"])
    func tags(filter: String) async throws {
        try await Stage.run { stage in
            func query(_ count: Int) -> String { filter + "=" + (0..<count).map { "t\($0)" }.joined(separator: ",") }
            for list in ["projects", "domains"] {
                _ = await stage.send(.get, "/v3/\(list)?\(query(80))", as: stage.admin, .ok)
                _ = await stage.send(.get, "/v3/\(list)?\(query(81))", as: stage.admin, .badRequest)
            }
        }
    }

    @Test("The number of a user's credentials is limited, and EC2 keys count")
    func credentials() async throws {
        try await Stage.run { $0.credential.userLimit = 3 } _: { stage in
            let body: JSON = ["credential": ["type": "cert", "blob": "x", "user_id": .string(stage.demoID)]]
            let keys = "/v3/users/\(stage.demoID)/credentials/OS-EC2"
            let key: JSON = ["tenant_id": .string(stage.demoProject)]
            _ = await stage.send(.post, "/v3/credentials", body, as: stage.demo, .created)
            _ = await stage.send(.post, keys, key, as: stage.demo, .created)
            let last = await stage.send(.post, "/v3/credentials", body, as: stage.demo, .created)
            _ = await stage.send(.post, "/v3/credentials", body, as: stage.demo, .forbidden)
            _ = await stage.send(.post, keys, key, as: stage.demo, .forbidden)
            _ = await stage.send(.delete, "/v3/credentials/\(last["credential"]?["id"]?.string ?? "")", as: stage.demo, .noContent)
            _ = await stage.send(.post, keys, key, as: stage.demo, .created)
        }
    }

    @Test("The number of a user's application credentials is limited")
    func applicationCredentials() async throws {
        try await Stage.run { $0.applicationCredential.userLimit = 2 } _: { stage in
            let path = "/v3/users/\(stage.demoID)/application_credentials"
            for (name, status) in [("a", HTTPResponse.Status.created), ("b", .created), ("c", .forbidden)] {
                _ = await stage.send(.post, path, ["application_credential": ["name": .string(name)]], as: stage.demo, status)
            }
        }
    }
}
