import CloudCore
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Identity

/// Past security holes in delegations from one user to another, or to a program.
@Suite struct DelegationSecurityTests {
    private func expiry(_ it: Delegation, _ token: String) async throws -> Timestamp {
        let text = try #require(await it.show(token)["expires_at"]?.string)
        return try #require(Timestamp(iso8601: text))
    }

    private func rescope(_ it: Delegation, _ token: String, trust: String) async -> TestCloud.Response {
        await it.cloud.send(
            .post, "/v3/auth/tokens",
            json: [
                "auth": [
                    "identity": ["methods": ["token"], "token": ["id": .string(token)]],
                    "scope": ["OS-TRUST:trust": ["id": .string(trust)]],
                ]
            ])
    }

    @Test func ossa_2012_019_aTokenOutlivesNeitherItsSourceTokenNorItsDelegation() async throws {
        try await Delegation.run { it in
            let end: JSON = "2026-01-01T00:40:00Z"
            let moment = try #require(Timestamp(iso8601: "2026-01-01T00:40:00Z"))
            let trust = try await it.trust(["expires_at": end, "impersonation": true, "allow_redelegation": true])
            let robot = try await it.credential(["expires_at": end])
            let bob = try #require(await it.authenticate(it.bob).headers[.subjectToken])
            #expect(try await expiry(it, bob) > moment)
            let trusted = try #require(await rescope(it, bob, trust: trust).headers[.subjectToken])
            #expect(try await expiry(it, trusted) == moment)
            #expect(try await expiry(it, try await it.token(credential: robot)) == moment)
            // A trust without an end gives no more time than is left of the token with which it is used.
            let endless = try await it.trust(["impersonation": true])
            it.cloud.clock.advance(by: .seconds(1200))
            let later = try #require(await rescope(it, bob, trust: endless).headers[.subjectToken])
            #expect(try await expiry(it, later) == (try await expiry(it, bob)))
            // A redelegated trust does not outlive the first one either.
            let handed = await it.postTrust(["impersonation": true, "trustee_user_id": .string(it.carol)], token: trusted)
            let carol = try await it.token(it.carol, trust: try #require(handed.json["trust"]?["id"]?.string))
            #expect(try await expiry(it, carol) == moment)
            it.cloud.clock.advance(by: .seconds(1201))
            let admin = try await it.cloud.token()
            for token in [trusted, carol] {
                let reply = await it.cloud.send(.get, "/v3/auth/tokens", token: admin, headers: [.subjectToken: token])
                #expect(reply.status == .notFound)
            }
        }
    }

    @Test func ossa_2016_008_aTrustTokenBelongsToTheAuditChainOfItsSourceToken() async throws {
        try await Delegation.run { it in
            let trust = try await it.trust()
            let bob = try #require(await it.authenticate(it.bob).headers[.subjectToken])
            let trusted = try #require(await rescope(it, bob, trust: trust).headers[.subjectToken])
            let own = await it.show(bob)["audit_ids"]?.array ?? []
            let ids = await it.show(trusted)["audit_ids"]?.array ?? []
            #expect(ids.count == 2 && ids.last == own.first && ids.first != own.first)
            #expect(await it.show(trusted)["issued_at"]?.string != nil)
            it.cloud.clock.advance(by: .seconds(1))
            let revoked = await it.cloud.send(.delete, "/v3/auth/tokens", token: bob, headers: [.subjectToken: bob])
            #expect(revoked.status == .noContent)
            #expect(await it.check(trusted) == .notFound)
        }
    }

    @Test func ossa_2016_005_aRevokedTokenStaysRevoked() async throws {
        try await Delegation.run { it in
            let trust = try await it.trust()
            let token = try await it.token(it.bob, trust: trust)
            it.cloud.clock.advance(by: .seconds(1))
            let revoked = await it.cloud.send(.delete, "/v3/auth/tokens", token: token, headers: [.subjectToken: token])
            #expect(revoked.status == .noContent)
            #expect(await it.check(token) == .notFound)
            // A token with any character changed is invalid.
            let other = Array(try await it.token(it.bob, trust: trust))
            for position in stride(from: 4, to: other.count, by: 7) {
                var changed = other
                changed[position] = changed[position] == "A" ? "B" : "A"
                #expect(await it.check(String(changed)) == .notFound)
            }
            let shown = try #require(
                await it.cloud.send(.get, "/v3/OS-REVOKE/events", token: it.admin).json["events"]?.array)
            #expect(await it.cloud.send(.delete, "/v3/OS-TRUST/trusts/\(trust)", token: it.token).status == .noContent)
            let events = await it.cloud.send(.get, "/v3/OS-REVOKE/events", token: it.admin).json["events"]?.array ?? []
            #expect(events.count == shown.count + 1)
            #expect(events.contains { $0["OS-TRUST:trust_id"] == .string(trust) })
        }
    }

    @Test func ossa_2020_004_aCredentialBelongsToTheUserAndProjectOfItsTokenWhateverTheBodySays() async throws {
        try await Delegation.run { it in
            let other = try await it.project("other")
            try await it.grant(it.member, to: it.alice, on: other)
            let made = try await it.credential(["project_id": .string(other), "id": "chosen"])
            #expect(made.id != "chosen")
            let token = try #require(await it.authenticate(credential: made).json["token"])
            #expect(token["project"]?["id"] == .string(it.web))
            #expect(token["user"]?["id"] == .string(it.alice))
            #expect(await it.postCredential(["name": "b", "user_id": .string(it.bob)]).status == .badRequest)
        }
    }

    @Test func ossa_2026_005_aTokenOfAnEC2KeyCannotDelegate() async throws {
        try await Delegation.run { it in
            let keys = await it.cloud.send(
                .post, "/v3/users/\(it.alice)/credentials/OS-EC2", token: it.token, json: ["tenant_id": .string(it.web)])
            let access = try #require(keys.json["credential"]?["access"]?.string)
            let secret = try #require(keys.json["credential"]?["secret"]?.string)
            let exchanged = await it.cloud.send(
                .post, "/v3/ec2tokens", token: it.admin, json: Signing.two(access, secret, at: it.cloud.clock.now))
            let token = try #require(exchanged.headers[.subjectToken])
            #expect(await it.postTrust(token: token).status == .forbidden)
            #expect(await it.cloud.send(.get, "/v3/OS-TRUST/trusts?trustor_user_id=\(it.alice)", token: token).status == .forbidden)
            #expect(await it.postCredential(token: token).status == .forbidden)
            #expect(await it.cloud.send(.get, "/v3/users/\(it.alice)/application_credentials", token: token).status == .forbidden)
            #expect(await it.cloud.send(.get, "/v3/users/\(it.alice)/access_rules", token: token).status == .forbidden)
        }
    }

    @Test(arguments: 1...8) func ossa_2014_018_ossa_2014_022_ossa_2020_005_aDelegatedTokenNeverHasMoreRolesThanItsDelegation(seed: UInt64) async throws {
        try await Delegation.run { it in
            var chance = HandingOn(it, seed: seed)
            try await chance.prepare()
            for _ in 0..<40 {
                try await chance.step()
                try await chance.check()
            }
            #expect(chance.checked > 40, "the test must see tokens that live")
        }
    }
}

/// Grants, revokes and delegates roles at random, and keeps the most roles that each token may have.
private struct HandingOn {
    /// A token, the user for whom it acts, and its bounds: the roles of each delegation in its chain.
    private struct Handed {
        var token: String
        var user: String
        var bounds: [Set<String>]
        /// Whether the roles are delegated as they are, without roles that they imply later.
        var isFixed = false
    }

    private let it: Delegation
    private var generator: SplitMix64
    private var roles: [String] = []
    private var alice = ""
    /// The token of Alice on her own project, where she is an administrator, so that she can authorize an OAuth1
    /// consumer.
    private var home = ""
    private var client = OAuthClient(id: "", secret: "")
    private var handed: [Handed] = []
    private(set) var checked = 0
    private var count = 0

    init(_ it: Delegation, seed: UInt64) {
        self.it = it
        generator = SplitMix64(seed: seed)
    }

    mutating func prepare() async throws {
        for number in 0..<6 { roles.append(try await it.role("role-\(number)")) }
        alice = it.alice
        let project = try await it.project("home")
        try await it.grant(try #require(it.roles["admin"]), to: alice, on: project)
        home = try await it.cloud.token(user: "alice", password: Delegation.password, project: "home")
        let consumer = await it.cloud.send(.post, "/v3/OS-OAUTH1/consumers", token: it.admin, json: ["consumer": [:]]).json["consumer"]
        client = OAuthClient(id: try #require(consumer?["id"]?.string), secret: try #require(consumer?["secret"]?.string))
        for role in roles.prefix(4) { try await it.grant(role, to: alice) }
        try await it.grant(roles[0], to: it.bob)
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element { elements[Int.random(in: 0..<elements.count, using: &generator)] }

    private mutating func someRoles() -> Set<String> {
        let some = Set(roles.filter { _ in Int.random(in: 0..<3, using: &generator) == 0 })
        return some.isEmpty ? [pick(roles)] : some
    }

    private static func json(_ roles: Set<String>) -> JSON { .array(roles.sorted().map { ["id": .string($0)] }) }

    // MARK: Steps

    mutating func step() async throws {
        count += 1
        let role = pick(roles)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: try await it.grant(role, to: alice)
        case 1: _ = await it.cloud.send(.delete, "/v3/projects/\(it.web)/users/\(alice)/roles/\(role)", token: it.admin)
        case 2: _ = await it.cloud.send(.put, "/v3/roles/\(role)/implies/\(pick(roles))", token: it.admin)
        case 3: _ = await it.cloud.send(.delete, "/v3/roles/\(role)/implies/\(pick(roles))", token: it.admin)
        case 4, 5: await trust()
        case 6: await redelegate()
        case 7, 8: await credential()
        default: try await consumer()
        }
    }

    /// Makes a trust. Requests for roles that Alice does not have are rightly refused, and nothing is kept then.
    private mutating func trust() async {
        let some = someRoles()
        let made = await it.postTrust([
            "roles": Self.json(some), "impersonation": .bool(Bool.random(using: &generator)), "allow_redelegation": true,
            "expires_at": .string((it.cloud.clock.now + .seconds(3000) + .microseconds(Int64(count))).iso8601Microseconds),
        ])
        await keep(made, it.bob, [some])
    }

    private mutating func redelegate() async {
        guard let parent = handed.last(where: { !$0.isFixed && $0.bounds.count == 1 && $0.user == it.bob }) else { return }
        let some = someRoles()
        let user = await it.show(parent.token)["user"]?["id"] ?? .string(alice)
        let made = await it.postTrust(
            [
                "trustor_user_id": user, "trustee_user_id": .string(it.carol), "roles": Self.json(some),
                "impersonation": .bool(Bool.random(using: &generator)),
            ] as JSONObject, token: parent.token)
        await keep(made, it.carol, parent.bounds + [some])
    }

    private mutating func keep(_ made: TestCloud.Response, _ trustee: String, _ bounds: [Set<String>]) async {
        guard let id = made.json["trust"]?["id"]?.string else { return }
        if let token = await it.authenticate(trustee, trust: id).headers[.subjectToken] {
            handed.append(Handed(token: token, user: trustee, bounds: bounds))
        }
    }

    private mutating func credential() async {
        guard let token = try? await it.cloud.token(user: "alice", password: Delegation.password, project: "web") else { return }
        let asked: Set<String> = Bool.random(using: &generator) ? someRoles() : []
        let made = await it.postCredential(["name": .string("robot-\(count)"), "roles": Self.json(asked), "unrestricted": true], token: token)
        guard let credential = made.json["application_credential"], let id = credential["id"]?.string,
            let secret = credential["secret"]?.string
        else { return }
        let bound = Set(credential["roles"]?.array?.compactMap { $0["id"]?.string } ?? [])
        guard let robot = await it.authenticate(credential: (id, secret)).headers[.subjectToken] else { return }
        handed.append(Handed(token: robot, user: alice, bounds: [bound], isFixed: true))
        // A credential that an application credential makes has no more roles than the first.
        let more = await it.postCredential(["name": .string("robot-\(count)-more"), "roles": Self.json(someRoles())], token: robot)
        guard let child = more.json["application_credential"], let id = child["id"]?.string, let secret = child["secret"]?.string,
            let token = await it.authenticate(credential: (id, secret)).headers[.subjectToken]
        else { return }
        handed.append(Handed(token: token, user: alice, bounds: [bound], isFixed: true))
    }

    private mutating func consumer() async throws {
        let path = "/v3/OS-OAUTH1"
        let now = it.cloud.clock.now
        client.token = ("", "")
        func header(_ client: OAuthClient, _ path: String, _ nonce: String, _ more: [String: String] = [:]) -> HTTPFields {
            [.authorization: client.authorization("POST", TestCloud.url + path, at: now, nonce: nonce, more)]
        }
        var headers = header(client, "\(path)/request_token", "\(count)a", ["oauth_callback": "oob"])
        headers[HTTPField.Name("Requested-Project-Id")!] = it.web
        let asked = try Query(await it.cloud.send(.post, "\(path)/request_token", headers: headers).text)
        client.token = (try #require(asked["oauth_token"]), try #require(asked["oauth_token_secret"]))
        let some = someRoles()
        let allowed = await it.cloud.send(
            .put, "\(path)/authorize/\(client.token.id)", token: home, json: ["roles": Self.json(some)])
        guard let verifier = allowed.json["token"]?["oauth_verifier"]?.string else { return }
        headers = header(client, "\(path)/access_token", "\(count)b", ["oauth_verifier": verifier])
        let given = try Query(await it.cloud.send(.post, "\(path)/access_token", headers: headers).text)
        client.token = (try #require(given["oauth_token"]), try #require(given["oauth_token_secret"]))
        let token = await it.cloud.send(
            .post, "/v3/auth/tokens", json: ["auth": ["identity": ["methods": ["oauth1"], "oauth1": [:]]]],
            headers: header(client, "/v3/auth/tokens", "\(count)c"))
        guard let text = token.headers[.subjectToken] else { return }
        handed.append(Handed(token: text, user: alice, bounds: [some]))
    }

    // MARK: Bounds

    /// Checks that no valid token has a role that Alice does not have now, or that was not delegated.
    mutating func check() async throws {
        for one in handed {
            let token = await it.show(one.token)
            guard !token.isNull else { continue }
            checked += 1
            let has = Set(token["roles"]?.array?.compactMap { $0["id"]?.string } ?? [])
            let (alice, web) = (alice, it.web)
            let bounds = try await it.cloud.database.read { tx in
                let store = AssignmentStore()
                let held = try store.effectiveRoleIDs(of: ID(alice), on: .project(ID(web)), in: tx)
                let handed = try one.bounds.map { bound -> Set<ID<Kind.Role>> in
                    let roles = Set(bound.map { ID<Kind.Role>($0) })
                    return one.isFixed ? roles : try store.implied(by: roles, in: tx)
                }
                return ([held] + handed).map { Set($0.map(\.text)) }
            }
            for bound in bounds { #expect(has.isSubset(of: bound)) }
            #expect(!has.isEmpty)
            #expect(token["project"]?["id"] == .string(web))
        }
    }
}
