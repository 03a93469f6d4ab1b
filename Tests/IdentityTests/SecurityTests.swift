import CloudCore
import HTTPTypes
import ControlPlane
import SQL
import TestSupport
import Testing

@testable import Identity

/// Past security holes of OpenStack's Identity (rows 35 to 47 of the security checklist), each with a test that Novella
/// does not have it. Delegations and credentials have files of their own.
@Suite("Security advisories")
struct SecurityTests {
    /// A new user with a role on a project, and a token of the user.
    struct Guest {
        let user: String
        let project: String
        let role: String
        let admin: String
        let token: String

        init(_ cloud: TestCloud) async throws {
            admin = try await cloud.token()
            user = try await Self.made(cloud, admin, "user", ["name": "guest", "password": "guest-password", "domain_id": "default"])
            project = try await Self.made(cloud, admin, "project", ["name": "guests"])
            let roles = await cloud.send(.get, "/v3/roles?name=member", token: admin).json["roles"]
            role = try #require(roles?.array?.first?["id"]?.string)
            let granted = await cloud.send(.put, "/v3/projects/\(project)/users/\(user)/roles/\(role)", token: admin)
            #expect(granted.status == .noContent)
            token = try await cloud.token(user: "guest", password: "guest-password", project: "guests")
            cloud.clock.advance(by: .seconds(1))
        }

        static func made(_ cloud: TestCloud, _ admin: String, _ noun: String, _ fields: JSONObject) async throws -> String {
            let made = await cloud.send(.post, "/v3/\(noun)s", token: admin, json: .object([noun: .object(fields)]))
            return try #require(made.json[noun]?["id"]?.string, "\(made.text)")
        }
    }

    /// The ways to lose access, each as a request by the administrator.
    enum Loss: String, CaseIterable {
        case userDisabled, userDeleted, passwordReset, roleRevoked, roleDeleted, projectDisabled, projectDeleted, domainDisabled
        case tokenRevoked

        func request(_ guest: Guest) -> (HTTPRequest.Method, String, JSON?) {
            switch self {
            case .userDisabled: (.patch, "/v3/users/\(guest.user)", ["user": ["enabled": false]])
            case .userDeleted: (.delete, "/v3/users/\(guest.user)", nil)
            case .passwordReset: (.patch, "/v3/users/\(guest.user)", ["user": ["password": "another-password"]])
            case .roleRevoked: (.delete, "/v3/projects/\(guest.project)/users/\(guest.user)/roles/\(guest.role)", nil)
            case .roleDeleted: (.delete, "/v3/roles/\(guest.role)", nil)
            case .projectDisabled: (.patch, "/v3/projects/\(guest.project)", ["project": ["enabled": false]])
            case .projectDeleted: (.delete, "/v3/projects/\(guest.project)", nil)
            case .domainDisabled: (.patch, "/v3/domains/default", ["domain": ["enabled": false]])
            case .tokenRevoked: (.delete, "/v3/auth/tokens", nil)
            }
        }
    }

    @Test("ossa_2012_014: a user who loses access in any way loses it at once", arguments: Loss.allCases)
    func ossa_2012_014(loss: Loss) async throws {
        try await TestCloud.run { cloud in
            let guest = try await Guest(cloud)
            #expect(await cloud.send(.get, "/v3/auth/projects", token: guest.token).status == .ok)
            if loss == .roleDeleted {
                // The roles that a new cloud has are immutable until an administrator changes that.
                _ = await cloud.send(.patch, "/v3/roles/\(guest.role)", token: guest.admin, json: ["role": ["options": ["immutable": false]]])
            }
            let (method, path, body) = loss.request(guest)
            let done = await cloud.send(method, path, token: guest.admin, json: body, headers: [.subject: guest.token])
            #expect(done.status == .ok || done.status == .noContent, "\(done.text)")
            #expect(await cloud.send(.get, "/v3/auth/projects", token: guest.token).status == .unauthorized)
        }
    }

    @Test("Enabling a user again does not make their old tokens valid")
    func reenabled() async throws {
        try await TestCloud.run { cloud in
            let guest = try await Guest(cloud)
            for enabled in [false, true] {
                _ = await cloud.send(.patch, "/v3/users/\(guest.user)", token: guest.admin, json: ["user": ["enabled": .bool(enabled)]])
            }
            #expect(await cloud.send(.get, "/v3/auth/projects", token: guest.token).status == .unauthorized)
            cloud.clock.advance(by: .seconds(1))
            #expect(try await cloud.token(user: "guest", password: "guest-password", project: "guests").isEmpty == false)
        }
    }

    @Test("ossa_2012_010: a token made from another one ends with it")
    func ossa_2012_010() async throws {
        try await TestCloud.run { cloud in
            let guest = try await Guest(cloud)
            let first = await cloud.send(.get, "/v3/auth/tokens", token: guest.token, headers: [.subject: guest.token])
            var token = guest.token
            for _ in 0..<3 {
                cloud.clock.advance(by: .seconds(600))
                let next = await cloud.send(.post, "/v3/auth/tokens", json: Self.rescope(token, guest.project))
                #expect(next.status == .created)
                #expect(next.json["token"]?["expires_at"] == first.json["token"]?["expires_at"])
                token = try #require(next.headers[.subject])
            }
        }
    }

    @Test("ossa_2014_026: revoking a token revokes the tokens made from it, but not the one from which it was made")
    func ossa_2014_026() async throws {
        try await TestCloud.run { cloud in
            let guest = try await Guest(cloud)
            let child = try #require(await cloud.send(.post, "/v3/auth/tokens", json: Self.rescope(guest.token, guest.project)).headers[.subject])
            let grandchild = try #require(await cloud.send(.post, "/v3/auth/tokens", json: Self.rescope(child, guest.project)).headers[.subject])
            let shown = await cloud.send(.get, "/v3/auth/tokens", token: grandchild, headers: [.subject: grandchild]).json["token"]
            let root = await cloud.send(.get, "/v3/auth/tokens", token: guest.token, headers: [.subject: guest.token]).json["token"]
            #expect(shown?["audit_ids"]?.array?.last == root?["audit_ids"]?.array?.first)
            #expect(shown?["methods"] == ["token", "password"])
            cloud.clock.advance(by: .seconds(1))
            #expect(await cloud.send(.delete, "/v3/auth/tokens", token: child, headers: [.subject: child]).status == .noContent)
            #expect(await cloud.send(.get, "/v3/auth/projects", token: guest.token).status == .ok)
            #expect(await cloud.send(.delete, "/v3/auth/tokens", token: guest.token, headers: [.subject: guest.token]).status == .noContent)
            for token in [guest.token, child, grandchild] {
                #expect(await cloud.send(.get, "/v3/auth/projects", token: token).status == .unauthorized)
            }
        }
    }

    @Test("ossa_2026_001: headers that state an identity are ignored")
    func ossa_2026_001() async throws {
        try await TestCloud.run { cloud in
            let guest = try await Guest(cloud)
            var forged: HTTPFields = [:]
            for (name, value) in [("X-User-Id", "admin"), ("X-Roles", "admin"), ("X-Identity-Status", "Confirmed"), ("X-Is-Admin-Project", "True"), ("OpenStack-System-Scope", "all")] {
                forged[HTTPField.Name(name)!] = value
            }
            #expect(await cloud.send(.get, "/v3/users", headers: forged).status == .unauthorized)
            #expect(await cloud.send(.get, "/v3/users", token: guest.token, headers: forged).status == .forbidden)
        }
    }

    @Test("ossa_2021_003: a lockout does not reveal whether a user exists")
    func ossa_2021_003() async throws {
        try await TestCloud.run({ $0.compliance.lockoutFailureAttempts = 2 }) { cloud in
            let guest = try await Guest(cloud)
            func attempt(_ user: String, _ password: String) async -> TestCloud.Response {
                await cloud.send(.post, "/v3/auth/tokens", json: Self.password(user, password))
            }
            for _ in 0..<3 { #expect(await attempt("guest", "wrong").status == .unauthorized) }
            let locked = await attempt("guest", "guest-password")
            let unknown = await attempt("nobody", "wrong")
            #expect(locked.status == .unauthorized)
            #expect(locked.text == unknown.text)
            #expect(!locked.text.contains(guest.user))
            cloud.clock.advance(by: .seconds(1801))
            #expect(await attempt("guest", "guest-password").status == .created)
        }
    }

    @Test("ossa_2013_003: overlong passwords and repeated methods are refused before anything is hashed")
    func ossa_2013_003() async throws {
        try await TestCloud.run { cloud in
            let long = String(repeating: "a", count: 5000)
            #expect(await cloud.send(.post, "/v3/auth/tokens", json: Self.password("admin", long)).status == .badRequest)
            let twice: JSON = [
                "auth": [
                    "identity": [
                        "methods": ["password", "password"],
                        "password": ["user": ["name": "admin", "domain": ["id": "default"], "password": "x"]],
                    ]
                ]
            ]
            #expect(await cloud.send(.post, "/v3/auth/tokens", json: twice).status == .badRequest)
            #expect(await cloud.send(.get, "/v3/users", token: String(repeating: "a", count: 9000)).status == .unauthorized)
        }
    }

    @Test("ossa_2013_003: refused log-ins compute no hash, and invalid tokens ask the database nothing")
    func ossa_2013_003_work() async throws {
        try await TestCloud.run({ $0.logIn.accountFailures = 5 }) { cloud in
            let hasher = cloud.cloud.identity.identity.hasher
            func hashes(_ body: () async -> Void) async -> Int {
                let before = hasher.hashes
                await body()
                return hasher.hashes - before
            }
            func logIn(_ body: JSON) async { _ = await cloud.send(.post, "/v3/auth/tokens", json: body) }
            let user: JSON = ["user": ["name": "admin", "domain": ["id": "default"], "password": "x"]]
            for methods in [["password", "password"], Array(repeating: "password", count: 200)] as [[JSON]] {
                let identity: JSON = ["methods": .array(methods), "password": user]
                #expect(await hashes { await logIn(["auth": ["identity": identity]]) } == 0)
            }
            #expect(await hashes { await logIn(Self.password("admin", String(repeating: "a", count: 5000))) } == 0)
            #expect(await hashes { for _ in 0..<50 { await logIn(Self.password("demo", "wrong")) } } == 5)
            let token = try await cloud.token()
            let forged = String(token.dropLast(8)) + "AAAAAAAA"
            let before = cloud.database.statements
            for wrong in [forged, String(repeating: "g", count: 180), String(repeating: "g", count: 4096), "x"] {
                for _ in 0..<50 {
                    #expect(await cloud.send(.get, "/v3/users", token: wrong).status == .unauthorized)
                }
            }
            #expect(cloud.database.statements == before)
        }
    }

    @Test("ossa_2019_003: answers and errors contain no secrets")
    func ossa_2019_003() async throws {
        try await TestCloud.run { cloud in
            let guest = try await Guest(cloud)
            let shown = await cloud.send(.get, "/v3/users/\(guest.user)", token: guest.admin)
            #expect(!shown.text.contains("password\"") && !shown.text.contains("argon2"))
            let wrong = await cloud.send(.post, "/v3/users", token: guest.admin, json: ["user": ["name": "x", "password": ["hidden-secret"]]])
            #expect(wrong.status == .badRequest && !wrong.text.contains("hidden-secret"))
        }
    }

    static func password(_ user: String, _ password: String) -> JSON {
        [
            "auth": [
                "identity": [
                    "methods": ["password"],
                    "password": ["user": ["name": .string(user), "domain": ["id": "default"], "password": .string(password)]],
                ]
            ]
        ]
    }

    static func rescope(_ token: String, _ project: String) -> JSON {
        [
            "auth": [
                "identity": ["methods": ["token"], "token": ["id": .string(token)]],
                "scope": ["project": ["id": .string(project)]],
            ]
        ]
    }
}
