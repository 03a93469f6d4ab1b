import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

/// A cloud with an administrator, a member without further rights, and other users that a test needs.
struct Stage: Sendable {
    let cloud: TestCloud
    /// The tokens of the administrator and of the member.
    let admin: String
    let demo: String
    let adminID: String
    let demoID: String
    let demoProject: String

    static func run(
        _ configure: (inout Configuration) -> Void = { _ in }, _ body: (Stage) async throws -> Void
    ) async throws {
        try await TestCloud.run(configure) { try await body(Stage($0)) }
    }

    init(_ cloud: TestCloud) async throws {
        self.cloud = cloud
        admin = try await cloud.token()
        demo = try await cloud.memberToken()
        let users = await cloud.send(.get, "/v3/users", token: admin).json["users"]?.array ?? []
        adminID = try Self.id("admin", users)
        demoID = try Self.id("demo", users)
        demoProject = try Self.id("demo", await cloud.send(.get, "/v3/projects", token: admin).json["projects"]?.array ?? [])
    }

    private static func id(_ name: String, _ list: [JSON]) throws -> String {
        try #require(list.first { $0["name"]?.string == name }?["id"]?.string)
    }

    // MARK: Asking

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil, as token: String?, at location: SourceLocation = #_sourceLocation,
        _ expected: HTTPResponse.Status
    ) async -> JSON {
        let response = await cloud.send(method, path, token: token, json: json)
        #expect(response.status == expected, "\(method) \(path): \(response.text)", sourceLocation: location)
        return response.json
    }

    /// Checks that a route requires a token, refuses the member, and answers 404 for a missing thing.
    ///
    /// - Parameter missing: the path of a missing thing of the kind, if there is such a path.
    func guarded(
        _ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil, missing: String? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async {
        _ = await send(method, path, json, as: nil, at: location, .unauthorized)
        _ = await send(method, path, json, as: "nv1-made-up", at: location, .unauthorized)
        _ = await send(method, path, json, as: demo, at: location, .forbidden)
        if let missing { _ = await send(method, missing, json, as: admin, at: location, .notFound) }
    }

    func refuses(
        _ method: HTTPRequest.Method, _ path: String, _ bodies: [JSON], at location: SourceLocation = #_sourceLocation
    ) async {
        for body in bodies { _ = await send(method, path, body, as: admin, at: location, .badRequest) }
    }

    // MARK: People and places

    func make(_ path: String, _ noun: String, _ members: JSON, at location: SourceLocation = #_sourceLocation) async throws -> String {
        let made = await send(.post, path, [noun: members], as: admin, at: location, .created)
        return try #require(made[noun]?["id"]?.string, sourceLocation: location)
    }

    func project(_ name: String, domain: String = "default") async throws -> String {
        try await make("/v3/projects", "project", ["name": .string(name), "domain_id": .string(domain)])
    }

    func role(_ name: String) async throws -> String {
        let roles = await send(.get, "/v3/roles?name=\(name)", as: admin, .ok)
        return try #require(roles["roles"]?.array?.first?["id"]?.string)
    }

    /// Makes a user with a role on the demo project, and returns their id and token.
    func user(_ name: String, role: String) async throws -> (id: String, token: String) {
        let id = try await make("/v3/users", "user", ["name": .string(name), "password": "a-password-of-tests", "domain_id": "default"])
        let role = try await self.role(role)
        _ = await send(.put, "/v3/projects/\(demoProject)/users/\(id)/roles/\(role)", as: admin, .noContent)
        return (id, try await cloud.token(user: name, password: "a-password-of-tests", project: "demo"))
    }

    /// Returns a token of the member with another scope.
    func token(ofDemoOn scope: JSON) async throws -> String {
        let password: JSON = ["user": ["id": .string(demoID), "password": .string(TestCloud.demoPassword)]]
        let auth: JSON = ["identity": ["methods": ["password"], "password": password], "scope": scope]
        let response = await cloud.send(.post, "/v3/auth/tokens", json: ["auth": auth])
        #expect(response.status == .created, "\(response.text)")
        return try #require(response.headers[.subjectToken])
    }

    func service(_ type: String) async throws -> String { try await make("/v3/services", "service", ["type": .string(type), "name": .string(type)]) }
}
