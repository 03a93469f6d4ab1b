import CloudCore
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@Suite struct TrustTests {
    private static let path = "/v3/OS-TRUST/trusts"

    @Test func aTrustIsShownWithItsRolesToBothParties() async throws {
        try await Delegation.run { it in
            let made = await it.postTrust(["expires_at": "2026-01-01T00:01:00.000000Z", "remaining_uses": 3])
            #expect(made.status == .created)
            let trust = try #require(made.json["trust"])
            let id = try #require(trust["id"]?.string)
            #expect(trust["trustor_user_id"] == .string(it.alice))
            #expect(trust["trustee_user_id"] == .string(it.bob))
            #expect(trust["expires_at"] == "2026-01-01T00:01:00.000000Z")
            #expect(trust["remaining_uses"] == 3)
            #expect(trust["redelegation_count"] == 0)
            #expect(trust["deleted_at"] == .null)
            #expect(trust["redelegated_trust_id"] == .null)
            #expect(trust["roles"]?.array?.map { $0["name"] } == ["member"])
            #expect(trust["roles_links"]?["self"] == .string("\(TestCloud.url)\(Self.path)/\(id)/roles"))
            let bob = try #require(await it.authenticate(it.bob).headers[.subjectToken])
            for token in [it.token, bob, it.admin] {
                #expect(await it.cloud.send(.get, "\(Self.path)/\(id)", token: token).json["trust"] == trust)
                #expect(await it.cloud.send(.get, "\(Self.path)/\(id)/roles", token: token).json["roles"]?.array?.count == 1)
                let role = await it.cloud.send(.get, "\(Self.path)/\(id)/roles/\(it.member)", token: token)
                #expect(role.json["role"]?["name"] == "member")
                #expect(await it.cloud.send(.head, "\(Self.path)/\(id)/roles/\(it.member)", token: token).status == .ok)
                #expect(await it.cloud.send(.get, "\(Self.path)/\(id)/roles/\(it.reader)", token: token).status == .notFound)
            }
        }
    }

    @Test func othersGet403ForATrustAndEverybody404ForAMissingOne() async throws {
        try await Delegation.run { it in
            let id = try await it.trust()
            let carol = try #require(await it.authenticate(it.carol).headers[.subjectToken])
            for path in ["", "/roles", "/roles/\(it.member)"] {
                #expect(await it.cloud.send(.get, "\(Self.path)/\(id)\(path)", token: carol).status == .forbidden)
                #expect(await it.cloud.send(.get, "\(Self.path)/\(id)\(path)").status == .unauthorized)
                #expect(await it.cloud.send(.get, "\(Self.path)/none\(path)", token: carol).status == .notFound)
            }
            #expect(await it.cloud.send(.delete, "\(Self.path)/\(id)", token: carol).status == .forbidden)
            #expect(await it.cloud.send(.delete, "\(Self.path)/\(id)").status == .unauthorized)
            #expect(await it.cloud.send(.delete, "\(Self.path)/none", token: it.token).status == .notFound)
            #expect(await it.cloud.send(.patch, "\(Self.path)/\(id)", token: it.token, json: it.trustBody()).status == .methodNotAllowed)
            #expect(await it.cloud.send(.put, "\(Self.path)/\(id)", token: it.token, json: it.trustBody()).status == .methodNotAllowed)
        }
    }

    @Test func administratorsListAllTrustsAndUsersOnlyTheirOwn() async throws {
        try await Delegation.run { it in
            _ = try await it.trust()
            _ = try await it.trust(["trustee_user_id": .string(it.carol)])
            func count(_ query: String, _ token: String?) async -> (HTTPResponse.Status, Int?) {
                let reply = await it.cloud.send(.get, Self.path + query, token: token)
                return (reply.status, reply.json["trusts"]?.array?.count)
            }
            let bob = try #require(await it.authenticate(it.bob).headers[.subjectToken])
            #expect(await count("", it.admin) == (.ok, 2))
            #expect(await count("", it.token) == (.forbidden, nil))
            #expect(await count("", nil) == (.unauthorized, nil))
            #expect(await count("?trustor_user_id=\(it.alice)", it.token) == (.ok, 2))
            #expect(await count("?trustor_user_id=\(it.alice)", bob) == (.forbidden, nil))
            #expect(await count("?trustee_user_id=\(it.bob)", bob) == (.ok, 1))
            #expect(await count("?trustee_user_id=\(it.carol)", bob) == (.forbidden, nil))
            #expect(await count("?trustor_user_id=\(it.alice)&trustee_user_id=\(it.carol)", it.token) == (.ok, 1))
            let listed = await it.cloud.send(.get, "\(Self.path)?trustee_user_id=\(it.bob)", token: bob).json["trusts"]?.array?.first
            #expect(listed?["roles"] == nil)
            #expect(listed?["links"]?["self"] != nil)
        }
    }

    @Test func anInvalidBodyIsRefused() async throws {
        try await Delegation.run { it in
            let wrong: [JSONObject] = [
                ["impersonation": "no"], ["impersonation": nil], ["trustee_user_id": nil], ["trustee_user_id": 3],
                ["expires_at": "bad"], ["expires_at": ""], ["expires_at": "Z"], ["expires_at": "2010-06-04T08:44:31.999999Z"],
                ["remaining_uses": 0], ["remaining_uses": -1], ["remaining_uses": "a"], ["remaining_uses": 7.2],
                ["redelegation_count": -1], ["allow_redelegation": "yes"], ["roles": [["fake_key": "x"]]], ["roles": [[:]]],
                ["roles": [["id": "a", "name": "b"]]], ["roles": "member"],
            ]
            for changes in wrong {
                #expect(await it.postTrust(changes).status == .badRequest, "\(changes.members)")
            }
            #expect(await it.cloud.send(.post, Self.path, token: it.token, json: ["trust": [:]]).status == .badRequest)
            #expect(await it.cloud.send(.post, Self.path, token: it.token, json: [:]).status == .badRequest)
            #expect(await it.cloud.send(.post, Self.path, json: it.trustBody()).status == .unauthorized)
        }
    }

    @Test func onlyTheTrustorMakesATrustAndOnlyWithTheirOwnRoles() async throws {
        try await Delegation.run { it in
            #expect(await it.postTrust(token: it.admin).status == .forbidden)
            #expect(await it.postTrust(["trustor_user_id": .string(it.bob)]).status == .forbidden)
            #expect(await it.postTrust(["trustee_user_id": "nobody"]).status == .notFound)
            #expect(await it.postTrust(["project_id": "nothing"]).status == .notFound)
            #expect(await it.postTrust(["roles": []]).status == .forbidden)
            #expect(await it.postTrust(["roles": [["name": "no-such-role"]]]).status == .notFound)
            #expect(await it.postTrust(["roles": [["id": "nothing"]]]).status == .notFound)
            #expect(await it.postTrust(["roles": [["name": "manager"]]]).status == .notFound)
            #expect(await it.postTrust(["roles": [["name": "reader"]]]).status == .created, "what is implied can be handed on")
            let other = try await it.project("other")
            #expect(await it.postTrust(["project_id": .string(other)]).status == .notFound)
            let unscoped = await it.postTrust(["project_id": nil, "roles": []])
            #expect(unscoped.status == .created)
            let id = try #require(unscoped.json["trust"]?["id"]?.string)
            #expect(await it.authenticate(it.bob, trust: id).status == .forbidden, "a trust of nothing gives nothing")
            #expect(await it.postTrust(["project_id": nil]).status == .notFound, "roles are held on a project")
        }
    }

    @Test func theSameTrustTwiceIsAConflict() async throws {
        try await Delegation.run { it in
            let end: JSONObject = ["expires_at": "2026-01-01T00:10:00Z"]
            #expect(await it.postTrust(end).status == .created)
            #expect(await it.postTrust(end).status == .conflict)
        }
    }

    // MARK: Tokens

    @Test func aTrustTokenShowsTheTrustee() async throws {
        try await Delegation.run { it in
            let id = try await it.trust(["expires_at": "2026-01-01T00:01:00Z"])
            let reply = await it.authenticate(it.bob, trust: id)
            #expect(reply.status == .created)
            let token = try #require(reply.json["token"])
            #expect(token["user"]?["name"] == "bob")
            #expect(token["project"]?["name"] == "web")
            #expect(token["expires_at"] == "2026-01-01T00:01:00.000000Z", "a token does not outlive its trust")
            #expect(Delegation.roleNames(token) == ["member", "reader"])
            #expect(
                token["OS-TRUST:trust"] == [
                    "id": .string(id), "impersonation": false, "trustor_user": ["id": .string(it.alice)],
                    "trustee_user": ["id": .string(it.bob)],
                ])
        }
    }

    @Test func aTrustTokenWithImpersonationShowsTheTrustor() async throws {
        try await Delegation.run { it in
            let id = try await it.trust(["impersonation": true])
            let token = try #require(await it.authenticate(it.bob, trust: id).json["token"])
            #expect(token["user"]?["name"] == "alice")
            #expect(token["OS-TRUST:trust"]?["impersonation"] == true)
            #expect(token["OS-TRUST:trust"]?["trustee_user"]?["id"] == .string(it.bob))
        }
    }

    @Test func otherUsersGet403AndAnUnknownTrustIs401() async throws {
        try await Delegation.run { it in
            let id = try await it.trust(["expires_at": "2026-01-01T00:01:00Z"])
            #expect(await it.authenticate(it.carol, trust: id).status == .forbidden)
            #expect(await it.authenticate(it.alice, trust: id).status == .forbidden)
            #expect(await it.authenticate(it.bob, trust: "nothing").status == .unauthorized)
            #expect(await it.authenticate(it.bob, scope: ["OS-TRUST:trust": ""]).status == .badRequest)
            #expect(await it.authenticate(it.bob, scope: ["OS-TRUST:trust": [:]]).status == .badRequest)
            it.cloud.clock.advance(by: .seconds(61))
            #expect(await it.authenticate(it.bob, trust: id).status == .unauthorized)
            #expect(await it.cloud.send(.get, "\(Self.path)/\(id)", token: it.token).status == .notFound)
        }
    }

    @Test func aTrustEndsWithItsLastUse() async throws {
        try await Delegation.run { it in
            let id = try await it.trust(["remaining_uses": 2])
            _ = try await it.token(it.bob, trust: id)
            #expect(await it.cloud.send(.get, "\(Self.path)/\(id)", token: it.token).json["trust"]?["remaining_uses"] == 1)
            let last = try await it.token(it.bob, trust: id)
            #expect(await it.cloud.send(.get, "\(Self.path)/\(id)", token: it.token).status == .notFound)
            #expect(await it.authenticate(it.bob, trust: id).status == .unauthorized)
            #expect(await it.check(last) == .ok, "the last use counts")
        }
    }

    @Test func aRefusedAttemptDoesNotCountAsAUse() async throws {
        try await Delegation.run { it in
            let id = try await it.trust(["remaining_uses": 1])
            #expect(await it.authenticate(it.carol, trust: id).status == .forbidden)
            await it.revoke(it.member, from: it.alice)
            #expect(await it.authenticate(it.bob, trust: id).status == .forbidden)
            try await it.grant(it.member, to: it.alice)
            #expect(await it.authenticate(it.bob, trust: id).status == .created)
        }
    }

    @Test func deletingATrustEndsItAndItsRedelegationsAtOnce() async throws {
        try await Delegation.run { it in
            let first = try await it.trust(["impersonation": true, "allow_redelegation": true])
            let bob = try await it.token(it.bob, trust: first)
            let second = try await it.trust(["impersonation": true, "trustee_user_id": .string(it.carol)], token: bob)
            let carol = try await it.token(it.carol, trust: second)
            #expect(await it.check(carol) == .ok)
            #expect(await it.cloud.send(.delete, "\(Self.path)/\(first)", token: it.token).status == .noContent)
            for token in [bob, carol] { #expect(await it.check(token) == .notFound) }
            for id in [first, second] {
                #expect(await it.cloud.send(.get, "\(Self.path)/\(id)", token: it.token).status == .notFound)
            }
            #expect(await it.authenticate(it.carol, trust: second).status == .unauthorized)
        }
    }

    enum Loss: CaseIterable { case role, trustorDisabled, trusteeDisabled, trustorDeleted, project, trustorsPassword, trusteesPassword }

    @Test(arguments: Loss.allCases) func losingWhatATrustDependsOnRevokesItsTokens(loss: Loss) async throws {
        try await Delegation.run { it in
            let id = try await it.trust()
            let token = try await it.token(it.bob, trust: id)
            #expect(await it.check(token) == .ok)
            it.cloud.clock.advance(by: .seconds(1))
            let status: HTTPResponse.Status
            switch loss {
            case .role:
                await it.revoke(it.member, from: it.alice)
                status = .forbidden
            case .trustorDisabled:
                await it.disable(it.alice)
                status = .forbidden
            case .trusteeDisabled:
                await it.disable(it.bob)
                status = .unauthorized
            case .trustorDeleted:
                #expect(await it.cloud.send(.delete, "/v3/users/\(it.alice)", token: it.admin).status == .noContent)
                status = .unauthorized
            case .project:
                #expect(
                    await it.cloud.send(.patch, "/v3/projects/\(it.web)", token: it.admin, json: ["project": ["enabled": false]]).status
                        == .ok)
                status = .unauthorized
            case .trustorsPassword, .trusteesPassword:
                let user = loss == .trustorsPassword ? it.alice : it.bob
                let changed = await it.cloud.send(
                    .patch, "/v3/users/\(user)", token: it.admin, json: ["user": ["password": .string(Delegation.password)]])
                #expect(changed.status == .ok)
                it.cloud.clock.advance(by: .seconds(1))
                status = .created
            }
            #expect(await it.check(token) == .notFound)
            #expect(await it.authenticate(it.bob, trust: id).status == status)
        }
    }

    // MARK: Handing on

    @Test func aRedelegationStaysWithinTheBoundsOfTheTrust() async throws {
        try await Delegation.run { it in
            let first = try await it.trust([
                "impersonation": true, "allow_redelegation": true, "redelegation_count": 2, "expires_at": "2026-01-01T00:30:00Z",
            ])
            let bob = try await it.token(it.bob, trust: first)
            let on: JSONObject = ["impersonation": true, "trustee_user_id": .string(it.carol)]
            func post(_ changes: JSONObject) async -> HTTPResponse.Status {
                var body = on
                for (key, value) in changes.members { body[key] = value }
                return await it.postTrust(body, token: bob).status
            }
            #expect(await post(["expires_at": "2026-01-01T00:31:00Z"]) == .forbidden)
            #expect(await post(["roles": [["name": "reader"]]]) == .forbidden, "only what the trust names")
            #expect(await post(["remaining_uses": 1]) == .forbidden)
            #expect(await post(["remaining_uses": 1, "allow_redelegation": true]) == .badRequest)
            #expect(await post(["allow_redelegation": true, "redelegation_count": 2]) == .forbidden)
            #expect(await post(["redelegated_trust_id": "another"]) == .forbidden)
            let made = await it.postTrust(
                ["impersonation": true, "trustee_user_id": .string(it.carol), "allow_redelegation": true], token: bob)
            #expect(made.status == .created)
            #expect(made.json["trust"]?["redelegated_trust_id"] == .string(first))
            #expect(made.json["trust"]?["redelegation_count"] == 1)
            #expect(made.json["trust"]?["expires_at"] == "2026-01-01T00:30:00.000000Z")
            let second = try #require(made.json["trust"]?["id"]?.string)
            let carol = try await it.token(it.carol, trust: second)
            let back: JSONObject = ["impersonation": true, "allow_redelegation": true, "trustee_user_id": .string(it.alice)]
            let third = await it.postTrust(back, token: carol)
            #expect(third.json["trust"]?["redelegation_count"] == 0)
            let last = try await it.token(it.alice, trust: try #require(third.json["trust"]?["id"]?.string))
            #expect(await it.postTrust(on, token: last).status == .forbidden, "the chain is as long as it may be")
            // Disabling a redelegating user ends the rest of the chain.
            await it.disable(it.bob)
            #expect(await it.check(carol) == .notFound)
            #expect(await it.cloud.send(.get, "\(Self.path)/\(second)", token: it.token).status == .forbidden)
            #expect(await it.authenticate(it.carol, trust: second).status == .forbidden)
        }
    }

    @Test func aTrustCannotBeRedelegatedUnlessItAllowsThat() async throws {
        try await Delegation.run { it in
            let bob = try await it.token(it.bob, trust: try await it.trust(["impersonation": true]))
            #expect(await it.postTrust(["trustee_user_id": .string(it.carol)], token: bob).status == .forbidden)
            #expect(await it.postTrust(["allow_redelegation": true, "redelegation_count": 4]).status == .forbidden)
            let most = await it.postTrust(["allow_redelegation": true])
            #expect(most.json["trust"]?["redelegation_count"] == 3)
        }
    }

    @Test func withoutImpersonationATrusteeRedelegatesOnlyTheirOwnRoles() async throws {
        try await Delegation.run { it in
            let bob = try await it.token(it.bob, trust: try await it.trust(["allow_redelegation": true]))
            let own: JSONObject = ["trustor_user_id": .string(it.bob), "trustee_user_id": .string(it.carol)]
            #expect(await it.postTrust(["trustee_user_id": .string(it.carol)], token: bob).status == .forbidden)
            #expect(await it.postTrust(own, token: bob).status == .notFound)
            try await it.grant(it.member, to: it.bob)
            var impersonating = own
            impersonating["impersonation"] = true
            #expect(await it.postTrust(impersonating, token: bob).status == .forbidden)
            let second = await it.postTrust(own, token: bob)
            #expect(second.status == .created)
            let carol = try await it.token(it.carol, trust: try #require(second.json["trust"]?["id"]?.string))
            #expect(await it.check(carol) == .ok)
            await it.revoke(it.member, from: it.bob)
            #expect(await it.check(carol) == .notFound)
        }
    }

    @Test func aTrustCannotBeRedelegatedToAnotherProject() async throws {
        try await Delegation.run { it in
            let other = try await it.project("other")
            try await it.grant(it.member, to: it.alice, on: other)
            let bob = try await it.token(it.bob, trust: try await it.trust(["impersonation": true, "allow_redelegation": true]))
            let reply = await it.postTrust(
                ["impersonation": true, "trustee_user_id": .string(it.carol), "project_id": .string(other)], token: bob)
            #expect(reply.status == .forbidden)
        }
    }
}
