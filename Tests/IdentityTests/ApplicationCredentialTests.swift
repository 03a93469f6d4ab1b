import CloudCore
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@Suite struct ApplicationCredentialTests {
    private func path(_ it: Delegation, _ user: String? = nil) -> String { "/v3/users/\(user ?? it.alice)/application_credentials" }
    private func rules(_ it: Delegation, _ user: String? = nil) -> String { "/v3/users/\(user ?? it.alice)/access_rules" }

    @Test func aCredentialHasTheRolesOfTheTokenAndItsSecretIsShownOnce() async throws {
        try await Delegation.run { it in
            let reply = await it.postCredential(["description": "for monitoring", "expires_at": "2026-01-01T00:30:00Z"])
            #expect(reply.status == .created)
            let made = try #require(reply.json["application_credential"]?.object)
            #expect(made["secret"]?.string?.count == 86)
            #expect(made["project_id"] == .string(it.web))
            #expect(made["user_id"] == .string(it.alice))
            #expect(made["unrestricted"] == false)
            #expect(made["expires_at"] == "2026-01-01T00:30:00.000000")
            #expect(made["access_rules"] == nil)
            #expect(Set(made["roles"]?.array?.compactMap { $0["name"]?.string } ?? []) == ["member", "reader"])
            let id = try #require(made["id"]?.string)
            let shown = await it.cloud.send(.get, "\(path(it))/\(id)", token: it.token)
            var expected = made
            expected["secret"] = nil
            #expect(shown.json["application_credential"]?.object == expected)
            #expect(!shown.text.contains("secret"))
            let listed = await it.cloud.send(.get, path(it), token: it.token)
            #expect(listed.json["application_credentials"]?.array?.count == 1)
            #expect(!listed.text.contains("secret"))
        }
    }

    @Test func aCredentialsTokenHasItsProjectRolesAndExpiry() async throws {
        try await Delegation.run { it in
            let made = try await it.credential([
                "roles": [["name": "reader"]], "secret": "of my own", "expires_at": "2026-01-01T00:30:00Z",
            ])
            #expect(made.secret == "of my own")
            let reply = await it.authenticate(credential: made)
            #expect(reply.status == .created)
            let token = try #require(reply.json["token"])
            #expect(Delegation.roleNames(token) == ["reader"])
            #expect(token["project"]?["id"] == .string(it.web))
            #expect(token["expires_at"] == "2026-01-01T00:30:00.000000Z")
            #expect(
                token["application_credential"] == ["id": .string(made.id), "name": "robot", "restricted": true])
            #expect(token["methods"] == ["application_credential"])
            #expect(await it.authenticate(credential: (made.id, "another")).status == .unauthorized)
            #expect(await it.authenticate(credential: ("nothing", made.secret)).status == .unauthorized)
            it.cloud.clock.advance(by: .seconds(1801))
            #expect(await it.authenticate(credential: made).status == .unauthorized)
        }
    }

    @Test func rolesIncludeImpliedOnesAndNeverExceedThoseOfTheToken() async throws {
        try await Delegation.run { it in
            let made = await it.postCredential(["roles": [["id": .string(it.member)]]])
            let names = made.json["application_credential"]?["roles"]?.array?.compactMap { $0["name"]?.string }
            #expect(Set(names ?? []) == ["member", "reader"])
            #expect(await it.postCredential(["name": "b", "roles": [["name": "manager"]]]).status == .badRequest)
            #expect(await it.postCredential(["name": "b", "roles": [["id": "nothing"]]]).status == .badRequest)
            #expect(await it.postCredential(["name": "b", "roles": [["name": "nothing"]]]).status == .notFound)
        }
    }

    @Test func anInvalidBodyIsRefused() async throws {
        try await Delegation.run { it in
            let wrong: [JSONObject] = [
                ["name": ""], ["name": nil], ["name": 3], ["expires_at": "soon"], ["expires_at": "2020-01-01T00:00:00Z"],
                ["unrestricted": "yes"], ["roles": [["id": "a", "name": "b"]]], ["user_id": "me"], ["secret_hash": "x"],
                ["access_rules": [["service": "compute", "method": "GET"]]], ["unknown": true],
                ["access_rules": [["service": "compute", "method": "GET", "path": "v2.1"]]],
                ["access_rules": [["service": "compute", "method": "FETCH", "path": "/v2.1"]]],
            ]
            for changes in wrong { #expect(await it.postCredential(changes).status == .badRequest, "\(changes.members)") }
            #expect(await it.cloud.send(.post, path(it), token: it.token, json: [:]).status == .badRequest)
        }
    }

    @Test func otherUsersCannotAccessCredentials() async throws {
        try await Delegation.run { it in
            let made = try await it.credential()
            let bob = try #require(await it.authenticate(it.bob).headers[.subjectToken])
            #expect(await it.postCredential().status == .conflict, "one name, one credential")
            #expect(await it.postCredential(user: it.bob).status == .forbidden)
            #expect(await it.postCredential(token: it.admin).status == .forbidden)
            #expect(await it.cloud.send(.post, path(it), json: ["application_credential": ["name": "x"]]).status == .unauthorized)
            // Bob's id in the path does not make the credential Bob's.
            for user in [it.alice, it.bob] {
                let one = "\(path(it, user))/\(made.id)"
                #expect(await it.cloud.send(.get, one, token: bob).status == .forbidden)
                #expect(await it.cloud.send(.delete, one, token: bob).status == .forbidden)
                #expect(await it.cloud.send(.get, one).status == .unauthorized)
                #expect(await it.cloud.send(.get, one, token: it.admin).status == .ok)
            }
            #expect(await it.cloud.send(.get, path(it), token: bob).status == .forbidden)
            #expect(await it.cloud.send(.get, path(it)).status == .unauthorized)
            #expect(await it.cloud.send(.get, path(it), token: it.admin).status == .ok)
            #expect(await it.cloud.send(.get, "\(path(it))/nothing", token: it.token).status == .notFound)
            #expect(await it.cloud.send(.delete, "\(path(it))/nothing", token: it.token).status == .notFound)
            #expect(await it.cloud.send(.patch, "\(path(it))/\(made.id)", token: it.token, json: [:]).status == .methodNotAllowed)
            #expect(await it.cloud.send(.delete, "\(path(it))/\(made.id)").status == .unauthorized)
        }
    }

    @Test func deletingACredentialRevokesItsTokens() async throws {
        try await Delegation.run { it in
            let made = try await it.credential()
            let token = try await it.token(credential: made)
            #expect(await it.check(token) == .ok)
            #expect(await it.cloud.send(.delete, "\(path(it))/\(made.id)", token: it.token).status == .noContent)
            #expect(await it.check(token) == .notFound)
            #expect(await it.authenticate(credential: made).status == .unauthorized)
        }
    }

    @Test func listsAreFilteredByName() async throws {
        try await Delegation.run { it in
            _ = try await it.credential(["name": "one"])
            _ = try await it.credential(["name": "two"])
            let one = await it.cloud.send(.get, "\(path(it))?name=one", token: it.token)
            #expect(one.json["application_credentials"]?.array?.map { $0["name"] } == ["one"])
            let paged = await it.cloud.send(.get, "\(path(it))?limit=1", token: it.token)
            #expect(paged.json["application_credentials"]?.array?.count == 1)
            #expect(paged.json["links"]?["next"]?.string?.contains("marker=") == true)
        }
    }

    @Test func onlyAProjectTokenCanMakeACredential() async throws {
        try await Delegation.run { it in
            let unscoped = try #require(await it.authenticate(it.alice, scope: "unscoped").headers[.subjectToken])
            #expect(await it.postCredential(token: unscoped).status == .forbidden)
            let admin = try #require(await it.cloud.send(.get, "/v3/users?name=admin", token: it.admin).json["users"]?.array?.first?["id"]?.string)
            for scope: JSON in [["system": ["all": true]], ["domain": ["id": "default"]]] {
                let reply = await it.cloud.send(
                    .post, "/v3/auth/tokens",
                    json: [
                        "auth": [
                            "identity": [
                                "methods": ["password"],
                                "password": ["user": ["id": .string(admin), "password": .string(TestCloud.adminPassword)]],
                            ],
                            "scope": scope,
                        ]
                    ])
                let token = try #require(reply.headers[.subjectToken])
                #expect(await it.postCredential(user: admin, token: token).status == .forbidden)
            }
        }
    }

    // MARK: What it may do

    @Test func aRestrictedCredentialManagesNeitherCredentialsNorTrusts() async throws {
        try await Delegation.run { it in
            let made = try await it.credential()
            let token = try await it.token(credential: made)
            #expect(await it.postCredential(["name": "more"], token: token).status == .forbidden)
            #expect(await it.cloud.send(.delete, "\(path(it))/\(made.id)", token: token).status == .forbidden)
            #expect(await it.cloud.send(.get, path(it), token: token).status == .ok)
            #expect(await it.cloud.send(.get, "\(path(it))/\(made.id)", token: token).status == .ok)
            #expect(await it.postTrust(token: token).status == .forbidden)
        }
    }

    @Test func anUnrestrictedCredentialManagesCredentialsButNoTrusts() async throws {
        try await Delegation.run { it in
            let made = try await it.credential(["unrestricted": true, "roles": [["name": "reader"]]])
            let token = try await it.token(credential: made)
            #expect(await it.postCredential(["name": "more", "roles": [["name": "member"]]], token: token).status == .badRequest)
            let more = try await it.credential(["name": "more"], token: token)
            #expect(Delegation.roleNames(await it.show(try await it.token(credential: more))) == ["reader"])
            let trust = try await it.trust()
            let trusts = "/v3/OS-TRUST/trusts"
            #expect(await it.postTrust(token: token).status == .forbidden)
            #expect(await it.cloud.send(.get, "\(trusts)?trustor_user_id=\(it.alice)", token: token).status == .forbidden)
            for path in ["", "/roles", "/roles/\(it.member)"] {
                #expect(await it.cloud.send(.get, "\(trusts)/\(trust)\(path)", token: token).status == .forbidden)
            }
            #expect(await it.cloud.send(.delete, "\(trusts)/\(trust)", token: token).status == .forbidden)
            #expect(await it.cloud.send(.delete, "\(path(it))/\(made.id)", token: token).status == .noContent)
        }
    }

    @Test func aTrustTokenManagesNoCredentials() async throws {
        try await Delegation.run { it in
            let made = await it.postCredential(["access_rules": [["service": "compute", "method": "GET", "path": "/v2.1/servers"]]])
            let credential = try #require(made.json["application_credential"])
            let id = try #require(credential["id"]?.string)
            let rule = try #require(credential["access_rules"]?.array?.first?["id"]?.string)
            let token = try await it.token(it.bob, trust: try await it.trust(["impersonation": true]))
            #expect(await it.postCredential(["name": "more"], token: token).status == .forbidden)
            for path in [path(it), "\(path(it))/\(id)", rules(it), "\(rules(it))/\(rule)"] {
                #expect(await it.cloud.send(.get, path, token: token).status == .forbidden)
            }
            for path in ["\(path(it))/\(id)", "\(rules(it))/\(rule)"] {
                #expect(await it.cloud.send(.delete, path, token: token).status == .forbidden)
            }
        }
    }

    @Test func aDelegatedTokenCannotBeExchangedForAnother() async throws {
        try await Delegation.run { it in
            let credential = try await it.token(credential: try await it.credential())
            let trust = try await it.token(it.bob, trust: try await it.trust())
            for token in [credential, trust] {
                for scope: JSON? in [nil, "unscoped", ["project": ["id": .string(it.web)]]] {
                    var auth: JSONObject = ["identity": ["methods": ["token"], "token": ["id": .string(token)]]]
                    auth["scope"] = scope
                    #expect(await it.cloud.send(.post, "/v3/auth/tokens", json: ["auth": .object(auth)]).status == .forbidden)
                }
            }
        }
    }

    @Test func aRoleThatTheUserLosesIsLostToTheCredential() async throws {
        try await Delegation.run { it in
            let group = await it.cloud.send(.post, "/v3/groups", token: it.admin, json: ["group": ["name": "managers"]])
            let id = try #require(group.json["group"]?["id"]?.string)
            let granted = "/v3/projects/\(it.web)/groups/\(id)/roles/\(it.manager)"
            #expect(await it.cloud.send(.put, granted, token: it.admin).status == .noContent)
            #expect(await it.cloud.send(.put, "/v3/groups/\(id)/users/\(it.alice)", token: it.admin).status == .noContent)
            let token = try await it.cloud.token(user: "alice", password: Delegation.password, project: "web")
            let robot = try await it.token(credential: try await it.credential(token: token))
            #expect(Delegation.roleNames(await it.show(robot)) == ["manager", "member", "reader"])
            #expect(await it.cloud.send(.delete, granted, token: it.admin).status == .noContent)
            #expect(Delegation.roleNames(await it.show(robot)) == ["member", "reader"])
        }
    }

    @Test func aDisabledUserLosesTheirCredentialsForGood() async throws {
        try await Delegation.run { it in
            let made = try await it.credential()
            await it.disable(it.alice)
            #expect(await it.authenticate(credential: made).status == .unauthorized)
            await it.disable(it.alice, false)
            #expect(await it.authenticate(credential: made).status == .unauthorized)
        }
    }

    @Test func deletingARoleInvalidatesItsCredentials() async throws {
        try await Delegation.run { it in
            let role = try await it.role("passing")
            try await it.grant(role, to: it.alice)
            let token = try await it.cloud.token(user: "alice", password: Delegation.password, project: "web")
            let made = try await it.credential(token: token)
            #expect(await it.authenticate(credential: made).status == .created)
            #expect(await it.cloud.send(.delete, "/v3/roles/\(role)", token: it.admin).status == .noContent)
            #expect(await it.authenticate(credential: made).status == .unauthorized)
        }
    }

    // MARK: Access rules

    private static let servers: JSON = ["service": "compute", "method": "GET", "path": "/v2.1/servers"]

    @Test func accessRulesAreSharedAndKeptWhileInUse() async throws {
        try await Delegation.run { it in
            let first = await it.postCredential(["access_rules": [Self.servers]])
            let second = await it.postCredential(["name": "second", "access_rules": [Self.servers]])
            let rule = try #require(first.json["application_credential"]?["access_rules"]?.array?.first)
            let id = try #require(rule["id"]?.string)
            #expect(rule["service"] == "compute")
            #expect(rule["user_id"] == nil)
            #expect(second.json["application_credential"]?["access_rules"] == [rule])
            let byID = await it.postCredential(["name": "third", "access_rules": [["id": .string(id)]]])
            #expect(byID.json["application_credential"]?["access_rules"] == [rule])
            #expect(await it.postCredential(["name": "fourth", "access_rules": [["id": "nothing"]]]).status == .notFound)
            let listed = await it.cloud.send(.get, rules(it), token: it.token)
            #expect(listed.json["access_rules"]?.array?.map { $0["id"] } == [.string(id)])
            #expect(await it.cloud.send(.get, "\(rules(it))?method=POST", token: it.token).json["access_rules"] == [])
            let one = "\(rules(it))/\(id)"
            #expect(await it.cloud.send(.get, one, token: it.token).json["access_rule"]?["path"] == "/v2.1/servers")
            #expect(await it.cloud.send(.delete, one, token: it.token).status == .forbidden)
            for reply in [first, second, byID] {
                let credential = reply.json["application_credential"]?["id"]?.string ?? ""
                #expect(await it.cloud.send(.delete, "\(path(it))/\(credential)", token: it.token).status == .noContent)
            }
            #expect(await it.cloud.send(.delete, one, token: it.token).status == .noContent)
            #expect(await it.cloud.send(.get, one, token: it.token).status == .notFound)
        }
    }

    @Test func otherUsersCannotAccessAccessRules() async throws {
        try await Delegation.run { it in
            let made = await it.postCredential(["access_rules": [Self.servers]])
            let id = try #require(made.json["application_credential"]?["access_rules"]?.array?.first?["id"]?.string)
            let bob = try #require(await it.authenticate(it.bob).headers[.subjectToken])
            let one = "\(rules(it))/\(id)"
            for (token, status) in [(bob, HTTPResponse.Status.forbidden), (nil, .unauthorized)] as [(String?, HTTPResponse.Status)] {
                #expect(await it.cloud.send(.get, rules(it), token: token).status == status)
                #expect(await it.cloud.send(.get, one, token: token).status == status)
                #expect(await it.cloud.send(.delete, one, token: token).status == status)
            }
            #expect(await it.cloud.send(.get, "\(rules(it, it.bob))/\(id)", token: bob).status == .notFound)
            #expect(await it.cloud.send(.delete, "\(rules(it, it.bob))/\(id)", token: bob).status == .notFound)
            #expect(await it.cloud.send(.get, "\(rules(it))/nothing", token: it.token).status == .notFound)
            try await it.grant(it.member, to: it.bob)
            let token = try await it.cloud.token(user: "bob", password: Delegation.password, project: "web")
            let stolen = await it.postCredential(["access_rules": [["id": .string(id)]]], user: it.bob, token: token)
            #expect(stolen.status == .notFound)
        }
    }

    @Test func aTokenWithAccessRulesAllowsOnlyTheirRequests() async throws {
        try await Delegation.run { it in
            let path = path(it)
            let made = await it.postCredential(["access_rules": [["service": "identity", "method": "GET", "path": .string(path)]]])
            let credential = try #require(made.json["application_credential"])
            let token = try await it.token(
                credential: (try #require(credential["id"]?.string), try #require(credential["secret"]?.string)))
            #expect(await it.cloud.send(.get, path, token: token).status == .ok)
            #expect(await it.cloud.send(.get, "/v3/users/\(it.alice)", token: token).status == .unauthorized)
            // A service that does not support access rules is told that there is no such token.
            #expect(await it.check(token) == .notFound)
            let knowing = HTTPField.Name("OpenStack-Identity-Access-Rules")!
            let shown = await it.cloud.send(
                .get, "/v3/auth/tokens", token: it.admin, headers: [.subjectToken: token, knowing: "1"])
            #expect(shown.json["token"]?["application_credential"]?["access_rules"]?.array?.count == 1)
        }
    }
}
