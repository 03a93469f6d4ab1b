import CloudCore
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

/// A cloud in which Alice has the role `member` on the project `web`, and Bob and Carol have no role there. Each test
/// delegates by itself.
struct Delegation {
    let cloud: TestCloud
    let admin: String
    let alice: String
    let bob: String
    let carol: String
    let web: String
    /// Alice's token for `web`.
    let token: String
    let roles: [String: String]

    static let password = "a-password-of-tests"

    static func run(_ body: (Delegation) async throws -> Void) async throws {
        try await TestCloud.run { cloud in try await body(try await Delegation(cloud)) }
    }

    init(_ cloud: TestCloud) async throws {
        self.cloud = cloud
        let admin = try await cloud.token()
        self.admin = admin
        func make(_ path: String, _ noun: String, _ body: JSONObject) async throws -> String {
            let reply = await cloud.send(.post, path, token: admin, json: .object([noun: .object(body)]))
            return try #require(reply.json[noun]?["id"]?.string, "\(reply.status) \(reply.text)")
        }
        alice = try await make("/v3/users", "user", ["name": "alice", "password": .string(Self.password)])
        bob = try await make("/v3/users", "user", ["name": "bob", "password": .string(Self.password)])
        carol = try await make("/v3/users", "user", ["name": "carol", "password": .string(Self.password)])
        web = try await make("/v3/projects", "project", ["name": "web", "domain_id": "default"])
        let listed = await cloud.send(.get, "/v3/roles", token: admin).json["roles"]?.array ?? []
        roles = Dictionary(uniqueKeysWithValues: listed.compactMap { role in
            role["name"]?.string.flatMap { name in role["id"]?.string.map { (name, $0) } }
        })
        try await Self.grant(cloud, admin, roles["member"] ?? "", alice, web)
        token = try await cloud.token(user: "alice", password: Self.password, project: "web")
    }

    var member: String { roles["member"] ?? "" }
    var reader: String { roles["reader"] ?? "" }
    var manager: String { roles["manager"] ?? "" }

    private static func grant(_ cloud: TestCloud, _ admin: String, _ role: String, _ user: String, _ project: String) async throws {
        let reply = await cloud.send(.put, "/v3/projects/\(project)/users/\(user)/roles/\(role)", token: admin)
        #expect(reply.status == .noContent)
    }

    func grant(_ role: String, to user: String, on project: String? = nil) async throws {
        try await Self.grant(cloud, admin, role, user, project ?? web)
    }

    func revoke(_ role: String, from user: String, on project: String? = nil) async {
        let reply = await cloud.send(.delete, "/v3/projects/\(project ?? web)/users/\(user)/roles/\(role)", token: admin)
        #expect(reply.status == .noContent)
    }

    func disable(_ user: String, _ isDisabled: Bool = true) async {
        let reply = await cloud.send(.patch, "/v3/users/\(user)", token: admin, json: ["user": ["enabled": .bool(!isDisabled)]])
        #expect(reply.status == .ok)
    }

    func project(_ name: String) async throws -> String {
        let reply = await cloud.send(
            .post, "/v3/projects", token: admin, json: ["project": ["name": .string(name), "domain_id": "default"]])
        return try #require(reply.json["project"]?["id"]?.string)
    }

    func role(_ name: String) async throws -> String {
        let reply = await cloud.send(.post, "/v3/roles", token: admin, json: ["role": ["name": .string(name)]])
        return try #require(reply.json["role"]?["id"]?.string)
    }

    // MARK: Tokens

    /// Asks for a token of a user by password, with `scope` as in the request's body.
    func authenticate(_ user: String, scope: JSON? = nil) async -> TestCloud.Response {
        var auth: JSONObject = [
            "identity": ["methods": ["password"], "password": ["user": ["id": .string(user), "password": .string(Self.password)]]]
        ]
        auth["scope"] = scope
        return await cloud.send(.post, "/v3/auth/tokens", json: ["auth": .object(auth)])
    }

    func authenticate(_ user: String, trust: String) async -> TestCloud.Response {
        await authenticate(user, scope: ["OS-TRUST:trust": ["id": .string(trust)]])
    }

    func token(_ user: String, trust: String) async throws -> String {
        let reply = await authenticate(user, trust: trust)
        return try #require(reply.headers[.subjectToken], "\(reply.status) \(reply.text)")
    }

    /// Returns 200 if the token is valid, and 404 otherwise.
    func check(_ token: String) async -> HTTPResponse.Status {
        await cloud.send(.get, "/v3/auth/tokens", token: admin, headers: [.subjectToken: token]).status
    }

    func show(_ token: String) async -> JSON {
        await cloud.send(.get, "/v3/auth/tokens", token: admin, headers: [.subjectToken: token]).json["token"] ?? .null
    }

    static func roleNames(_ token: JSON) -> Set<String> { Set(token["roles"]?.array?.compactMap { $0["name"]?.string } ?? []) }

    // MARK: Trusts

    /// Returns the body of Alice's trust of `member` on `web` to Bob, with the changes.
    func trustBody(_ changes: JSONObject = [:]) -> JSON {
        var trust: JSONObject = [
            "trustor_user_id": .string(alice), "trustee_user_id": .string(bob), "project_id": .string(web), "impersonation": false,
            "roles": [["name": "member"]],
        ]
        for (key, value) in changes.members { trust[key] = value }
        return ["trust": .object(trust)]
    }

    func postTrust(_ changes: JSONObject = [:], token: String? = nil) async -> TestCloud.Response {
        await cloud.send(.post, "/v3/OS-TRUST/trusts", token: token ?? self.token, json: trustBody(changes))
    }

    func trust(_ changes: JSONObject = [:], token: String? = nil) async throws -> String {
        let reply = await postTrust(changes, token: token)
        return try #require(reply.json["trust"]?["id"]?.string, "\(reply.status) \(reply.text)")
    }

    // MARK: Application credentials

    func postCredential(_ changes: JSONObject = [:], user: String? = nil, token: String? = nil) async -> TestCloud.Response {
        var body: JSONObject = ["name": "robot"]
        for (key, value) in changes.members { body[key] = value }
        return await cloud.send(
            .post, "/v3/users/\(user ?? alice)/application_credentials", token: token ?? self.token,
            json: ["application_credential": .object(body)])
    }

    func credential(_ changes: JSONObject = [:], token: String? = nil) async throws -> (id: String, secret: String) {
        let reply = await postCredential(changes, token: token)
        let made = reply.json["application_credential"]
        return (try #require(made?["id"]?.string, "\(reply.status) \(reply.text)"), try #require(made?["secret"]?.string))
    }

    func authenticate(credential: (id: String, secret: String)) async -> TestCloud.Response {
        await cloud.send(
            .post, "/v3/auth/tokens",
            json: [
                "auth": [
                    "identity": [
                        "methods": ["application_credential"],
                        "application_credential": ["id": .string(credential.id), "secret": .string(credential.secret)],
                    ]
                ]
            ])
    }

    func token(credential: (id: String, secret: String)) async throws -> String {
        let reply = await authenticate(credential: credential)
        return try #require(reply.headers[.subjectToken], "\(reply.status) \(reply.text)")
    }
}
