import CloudCore
import ControlPlane
import HTTPTypes
import TestSupport
import Testing

/// Tests of users, their passwords, and the rules that PCI-DSS requires.
@Suite("Users")
struct UserTests {
    private static func make(_ cloud: TestCloud, _ fields: JSONObject) async throws -> (id: String, admin: String) {
        let admin = try await cloud.token()
        let made = await cloud.send(.post, "/v3/users", token: admin, json: ["user": .object(fields)])
        return (try #require(made.json["user"]?["id"]?.string, "\(made.text)"), admin)
    }

    private static func signIn(_ cloud: TestCloud, _ user: String, _ password: String) async -> TestCloud.Response {
        await cloud.send(.post, "/v3/auth/tokens", json: SecurityTests.password(user, password))
    }

    /// Changes a password, then moves the clock: a token that is issued at the moment of the change would still be
    /// revoked by it.
    private static func change(_ cloud: TestCloud, _ id: String, from old: String, to new: String) async -> HTTPResponse.Status {
        let body: JSON = ["user": ["original_password": .string(old), "password": .string(new)]]
        defer { cloud.clock.advance(by: .milliseconds(1)) }
        return await cloud.send(.post, "/v3/users/\(id)/password", json: body).status
    }

    @Test("A user keeps unknown attributes and never shows the password")
    func extra() async throws {
        try await TestCloud.run { cloud in
            let (id, admin) = try await Self.make(cloud, ["name": "ann", "email": "ann@example.org", "password": "secret-1"])
            let shown = await cloud.send(.get, "/v3/users/\(id)", token: admin).json["user"]
            #expect(shown?["email"] == "ann@example.org")
            #expect(shown?["password"] == nil)
            #expect(shown?["domain_id"] == "default")
            let changed = await cloud.send(.patch, "/v3/users/\(id)", token: admin, json: ["user": ["email": "b@example.org", "enabled": false]])
            #expect(changed.json["user"]?["email"] == "b@example.org")
            #expect(changed.json["user"]?["enabled"] == false)
        }
    }

    @Test("Attributes that the cloud sets cannot be set by a request", arguments: ["failed_attempts", "created_at", "last_active_day", "password_expires_at", "id"])
    func forged(field: String) async throws {
        try await TestCloud.run { cloud in
            let (id, admin) = try await Self.make(cloud, ["name": "ann", "password": "secret-1"])
            let body: JSON = ["user": .object([field: 99])]
            _ = await cloud.send(.patch, "/v3/users/\(id)", token: admin, json: body)
            let shown = await cloud.send(.get, "/v3/users/\(id)", token: admin).json["user"]
            #expect(shown?["id"] == .string(id))
            #expect(shown?["password_expires_at"] == .null)
            #expect(await Self.signIn(cloud, "ann", "secret-1").status == .created)
        }
    }

    @Test("Lists are filtered, paged and sorted")
    func lists() async throws {
        try await TestCloud.run { cloud in
            let admin = try await cloud.token()
            for number in 0..<12 {
                _ = await cloud.send(.post, "/v3/users", token: admin, json: ["user": ["name": .string("user-\(number % 10)\(number)"), "enabled": .bool(number % 2 == 0)]])
            }
            func names(_ query: String) async -> [String] {
                await cloud.send(.get, "/v3/users?\(query)", token: admin).json["users"]?.array?.compactMap { $0["name"]?.string } ?? []
            }
            #expect(await names("name=user-33") == ["user-33"])
            #expect(await names("name__startswith=user-1").count == 2)
            #expect(await names("name__icontains=USER-").count == 12)
            #expect(await names("enabled=0").count == 6)
            #expect(await names("sort_key=name&name__contains=user&sort_dir=desc").first == "user-99")
            var seen: [String] = []
            var next: String? = "/v3/users?limit=5&sort_key=name"
            while let path = next {
                let page = await cloud.send(.get, path, token: admin).json
                seen += page["users"]?.array?.compactMap { $0["name"]?.string } ?? []
                next = page["links"]?["next"]?.string.map { String($0.dropFirst(TestCloud.url.count)) }
            }
            #expect(seen.count == 14)
            #expect(seen == seen.sorted())
            #expect(await cloud.send(.get, "/v3/users?limit=-1", token: admin).status == .badRequest)
            #expect(await cloud.send(.get, "/v3/users?marker=nothing&limit=1", token: admin).status == .badRequest)
        }
    }

    @Test("A user changes their own password with the old one, which revokes all their tokens")
    func ownPassword() async throws {
        try await TestCloud.run { cloud in
            let (id, _) = try await Self.make(cloud, ["name": "ann", "password": "secret-1"])
            let token = try #require(await Self.signIn(cloud, "ann", "secret-1").headers[.subject])
            cloud.clock.advance(by: .seconds(1))
            #expect(await Self.change(cloud, id, from: "wrong", to: "secret-2") == .unauthorized)
            #expect(await Self.change(cloud, id, from: "secret-1", to: "secret-2") == .noContent)
            #expect(await cloud.send(.get, "/v3/auth/projects", token: token).status == .unauthorized)
            #expect(await Self.signIn(cloud, "ann", "secret-1").status == .unauthorized)
            #expect(await Self.signIn(cloud, "ann", "secret-2").status == .created)
            #expect(await Self.change(cloud, "nobody", from: "x", to: "y") == .unauthorized)
        }
    }

    @Test("Recent passwords, weak passwords and changes of a password that is too young are refused")
    func rules() async throws {
        try await TestCloud.run({
            $0.compliance.uniqueLastPasswordCount = 2
            $0.compliance.minimumPasswordAge = 1
            $0.compliance.passwordRegex = "^(?=.*\\d).{7,}$"
        }) { cloud in
            let (id, admin) = try await Self.make(cloud, ["name": "ann", "password": "secret-1"])
            #expect(await cloud.send(.post, "/v3/users", token: admin, json: ["user": ["name": "bob", "password": "weak"]]).status == .badRequest)
            #expect(await Self.change(cloud, id, from: "secret-1", to: "nodigits") == .badRequest)
            #expect(await Self.change(cloud, id, from: "secret-1", to: "secret-1") == .badRequest)
            #expect(await Self.change(cloud, id, from: "secret-1", to: "secret-2") == .noContent)
            // The first password was set by the administrator and may be changed at once. A password that the user
            // chose must be kept for a day.
            #expect(await Self.change(cloud, id, from: "secret-2", to: "secret-3") == .badRequest)
            cloud.clock.advance(by: .seconds(86_401))
            #expect(await Self.change(cloud, id, from: "secret-2", to: "secret-1") == .badRequest)
            #expect(await Self.change(cloud, id, from: "secret-2", to: "secret-3") == .noContent)
        }
    }

    @Test("A password expires, and only a user who knows it is told so")
    func expiry() async throws {
        try await TestCloud.run({ $0.compliance.passwordExpiresDays = 2 }) { cloud in
            let (id, admin) = try await Self.make(cloud, ["name": "ann", "password": "secret-1"])
            let shown = await cloud.send(.get, "/v3/users/\(id)", token: admin).json["user"]
            #expect(shown?["password_expires_at"] == "2026-01-03T00:00:00.000000Z")
            cloud.clock.advance(by: .seconds(2 * 86_400 + 1))
            #expect(await Self.signIn(cloud, "ann", "secret-1").text.contains("expired"))
            #expect(!(await Self.signIn(cloud, "ann", "wrong").text.contains("expired")))
            #expect(await Self.change(cloud, id, from: "secret-1", to: "secret-2") == .noContent)
            #expect(await Self.signIn(cloud, "ann", "secret-2").status == .created)
        }
    }

    @Test("If configured, a password that an administrator set must be changed before the first login")
    func firstUse() async throws {
        try await TestCloud.run({ $0.compliance.changePasswordUponFirstUse = true }) { cloud in
            let (id, admin) = try await Self.make(cloud, ["name": "ann", "password": "secret-1"])
            #expect(await Self.signIn(cloud, "ann", "secret-1").status == .unauthorized)
            #expect(await Self.change(cloud, id, from: "secret-1", to: "secret-2") == .noContent)
            #expect(await Self.signIn(cloud, "ann", "secret-2").status == .created)
            let (_, _) = try await Self.make(
                cloud, ["name": "robot", "password": "secret-1", "options": ["ignore_change_password_upon_first_use": true]])
            #expect(await Self.signIn(cloud, "robot", "secret-1").status == .created)
            _ = admin
        }
    }

    @Test("A user who was inactive for too long is disabled until an administrator enables them")
    func inactivity() async throws {
        try await TestCloud.run({ $0.compliance.disableUserAccountDaysInactive = 3 }) { cloud in
            let (id, _) = try await Self.make(cloud, ["name": "ann", "password": "secret-1"])
            cloud.clock.advance(by: .seconds(2 * 86_400))
            #expect(await Self.signIn(cloud, "ann", "secret-1").status == .created)
            _ = try await cloud.token()
            cloud.clock.advance(by: .seconds(2 * 86_400))
            let admin = try await cloud.token()
            cloud.clock.advance(by: .seconds(2 * 86_400))
            #expect(await Self.signIn(cloud, "ann", "secret-1").status == .unauthorized)
            let late = try await cloud.token()
            _ = await cloud.send(.patch, "/v3/users/\(id)", token: late, json: ["user": ["enabled": true]])
            #expect(await Self.signIn(cloud, "ann", "secret-1").status == .created)
            _ = admin
        }
    }

    @Test("With two factors, the first one gives a receipt and the second one a token")
    func factors() async throws {
        try await TestCloud.run { cloud in
            let (id, admin) = try await Self.make(cloud, [
                "name": "ann", "password": "secret-1",
                "options": ["multi_factor_auth_enabled": true, "multi_factor_auth_rules": [["password", "totp"]]],
            ])
            _ = await cloud.send(.post, "/v3/credentials", token: admin, json: [
                "credential": ["type": "totp", "user_id": .string(id), "blob": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"]
            ])
            let half = await Self.signIn(cloud, "ann", "secret-1")
            #expect(half.status == .unauthorized)
            #expect(half.json["required_auth_methods"] == [["password", "totp"]])
            #expect(half.json["receipt"]?["methods"] == ["password"])
            let receipt = try #require(half.headers[HTTPField.Name("OpenStack-Auth-Receipt")!])
            func finish(_ passcode: String, _ receipt: String) async -> TestCloud.Response {
                await cloud.send(.post, "/v3/auth/tokens", json: [
                    "auth": ["identity": ["methods": ["totp"], "totp": ["user": ["id": .string(id), "passcode": .string(passcode)]]]]
                ], headers: [HTTPField.Name("OpenStack-Auth-Receipt")!: receipt])
            }
            // RFC 6238's own vector: at 59 s after the epoch this secret gives 94287082, of which six digits count.
            cloud.clock.set(Timestamp(seconds: 59))
            #expect(await finish("000000", receipt).status == .unauthorized)
            #expect(await finish("287082", receipt + "x").status == .unauthorized)
            let whole = await finish("287082", receipt)
            #expect(whole.status == .created)
            #expect(whole.json["token"]?["methods"] == ["password", "totp"])
        }
    }
}
