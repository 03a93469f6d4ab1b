import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import Images
import TestSupport
import Testing

@Suite("Access to metadata definitions")
struct MetadefAccessTests {
    /// Every route, with a valid body, for a namespace that has one thing of each kind.
    private static let calls: [(method: HTTPRequest.Method, path: String, body: JSON?)] = [
        (.get, "/namespaces", nil), (.post, "/namespaces", ["namespace": "new"]), (.get, "/namespaces/{n}", nil),
        (.put, "/namespaces/{n}", ["namespace": "x"]), (.delete, "/namespaces/{n}", nil), (.get, "/resource_types", nil),
        (.get, "/namespaces/{n}/resource_types", nil), (.post, "/namespaces/{n}/resource_types", ["name": "T"]),
        (.delete, "/namespaces/{n}/resource_types/t", nil), (.get, "/namespaces/{n}/properties", nil),
        (.post, "/namespaces/{n}/properties", ["name": "x", "title": "X", "type": "string"]), (.delete, "/namespaces/{n}/properties", nil),
        (.get, "/namespaces/{n}/properties/t", nil),
        (.put, "/namespaces/{n}/properties/t", ["name": "x", "title": "X", "type": "string"]),
        (.delete, "/namespaces/{n}/properties/t", nil), (.get, "/namespaces/{n}/objects", nil),
        (.post, "/namespaces/{n}/objects", ["name": "x"]), (.delete, "/namespaces/{n}/objects", nil),
        (.get, "/namespaces/{n}/objects/t", nil), (.put, "/namespaces/{n}/objects/t", ["name": "x"]),
        (.delete, "/namespaces/{n}/objects/t", nil), (.get, "/namespaces/{n}/tags", nil),
        (.post, "/namespaces/{n}/tags", ["tags": [["name": "x"]]]), (.delete, "/namespaces/{n}/tags", nil),
        (.get, "/namespaces/{n}/tags/t", nil), (.post, "/namespaces/{n}/tags/x", nil), (.put, "/namespaces/{n}/tags/t", ["name": "x"]),
        (.delete, "/namespaces/{n}/tags/t", nil),
    ]

    private static let contents: JSONObject = [
        "tags": [["name": "t"]], "objects": [["name": "t"]], "properties": ["t": ["title": "T", "type": "string"]],
        "resource_type_associations": [["name": "t"]],
    ]

    /// Makes a namespace with the given owner and visibility.
    private func make(_ name: String, owner: String, _ visibility: String, by admin: MetadefClient) async {
        var body = Self.contents
        body["owner"] = .string(owner)
        body["visibility"] = .string(visibility)
        await admin.namespace(name, body)
    }

    private func demoProject(_ admin: MetadefClient) async throws -> String {
        let found = await admin.cloud.send(.get, "/v3/projects?name=demo", token: admin.token)
        return try #require(found.json["projects"]?.array?.first?["id"]?.string)
    }

    @Test("Every route requires a token before anything else")
    func unauthenticated() async throws {
        try await TestCloud.run { cloud in
            let routes = cloud.cloud.images.service.routes.filter { $0.path.contains("/metadefs") }
            #expect(routes.count == Self.calls.count + 10)
            for route in routes {
                let path = "/image" + route.path.replacing(/\{[^}]*\}/, with: "x")
                for token in [nil, "forged"] {
                    let reply = await cloud.send(route.method, path, token: token, json: route.method == .get ? nil : [:])
                    #expect(reply.status == .unauthorized, "\(route.name): \(reply.status)")
                }
            }
        }
    }

    @Test("A member reads public namespaces and those of the own project, and changes nothing", arguments: ["public", "own"])
    func member(kind: String) async throws {
        try await MetadefClient.run { cloud, admin in
            let member = try await MetadefClient.member(cloud)
            let project = try await demoProject(admin)
            await make("n", owner: kind == "own" ? project : "other", kind == "own" ? "private" : "public", by: admin)
            for call in Self.calls {
                let path = call.path.replacing("{n}", with: "n")
                let reply = await member.send(call.method, path, call.body)
                #expect(reply.status == (call.method == .get ? .ok : .forbidden), "\(call.method) \(path): \(reply.text)")
            }
            #expect(await member.names("/namespaces", "namespaces", "namespace") == ["n"])
            #expect(await member.names("/namespaces/n/resource_types", "resource_type_associations") == ["t"])
            // Nothing has changed.
            let shown = await admin.ask(.get, "/namespaces/n")
            for (key, count) in [("tags", 1), ("objects", 1), ("resource_type_associations", 1)] {
                #expect(shown[key]?.array?.count == count)
            }
        }
    }

    @Test("A private namespace of another project appears not to exist, whatever the request")
    func foreign() async throws {
        try await MetadefClient.run { cloud, admin in
            let member = try await MetadefClient.member(cloud)
            await make("n", owner: "other", "private", by: admin)
            for call in Self.calls where call.path.contains("{n}") {
                let path = call.path.replacing("{n}", with: "n")
                let there = await member.send(call.method, path, call.body)
                let never = await member.send(call.method, call.path.replacing("{n}", with: "m"), call.body)
                #expect(there.status == .notFound, "\(call.method) \(path): \(there.text)")
                // The answer is the same as for a namespace that never existed.
                #expect(there.json["message"]?.string == never.json["message"]?.string?.replacing(": m.", with: ": n."))
            }
            #expect(await member.names("/namespaces", "namespaces", "namespace") == [])
            await member.refuses(.get, "/namespaces?marker=n", nil, .notFound)
        }
    }

    @Test("An administrator can do everything with the namespaces of all projects")
    func administrator() async throws {
        try await MetadefClient.run { _, admin in
            for (number, call) in Self.calls.enumerated() {
                await make("n\(number)", owner: "other", "private", by: admin)
                let path = call.path.replacing("{n}", with: "n\(number)")
                let body = call.body == ["namespace": "x"] ? ["namespace": .string("x\(number)")] : call.body
                let reply = await admin.send(call.method, path, body)
                #expect(reply.status.code < 300, "\(call.method) \(path): \(reply.text)")
            }
        }
    }

    @Test("A token without a project gets no access", arguments: ["system", "unscoped"])
    func otherScopes(scope: String) async throws {
        try await MetadefClient.run { cloud, admin in
            await make("n", owner: "other", "public", by: admin)
            var token = try await cloud.token(project: nil)
            if scope == "system" {
                let auth: JSON = [
                    "auth": [
                        "identity": [
                            "methods": ["password"],
                            "password": [
                                "user": ["name": "admin", "domain": ["id": "default"], "password": .string(TestCloud.adminPassword)]
                            ],
                        ], "scope": ["system": ["all": true]],
                    ]
                ]
                token = try #require(await cloud.send(.post, "/v3/auth/tokens", json: auth).headers[.subjectToken])
            }
            let caller = MetadefClient(cloud: cloud, token: token)
            for call in Self.calls {
                let reply = await caller.send(call.method, call.path.replacing("{n}", with: "n"), call.body)
                #expect([.forbidden, .notFound].contains(reply.status), "\(call.method) \(call.path): \(reply.status)")
            }
        }
    }

    @Test("Missing things in a namespace, and things in a missing namespace, are a 404")
    func notFound() async throws {
        try await MetadefClient.run { _, admin in
            await admin.namespace("n")
            for call in Self.calls where call.path.contains("{n}") {
                await admin.refuses(call.method, call.path.replacing("{n}", with: "missing"), call.body, .notFound)
                guard call.path.hasSuffix("/t") else { continue }
                await admin.refuses(call.method, call.path.replacing("{n}", with: "n"), call.body, .notFound)
            }
        }
    }

    @Test("An unsupported method is refused with the list of allowed ones")
    func methods() async throws {
        try await MetadefClient.run { _, admin in
            let reply = await admin.send(.patch, "/namespaces/n", [:])
            #expect(reply.status == .methodNotAllowed)
            #expect(reply.headers[.allow] == "DELETE, GET, PUT")
            #expect(await admin.send(.delete, "/namespaces/n/resource_types").status == .methodNotAllowed)
        }
    }
}
