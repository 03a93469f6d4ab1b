import CloudCore
import Crypto
import Foundation
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@testable import Identity

@Suite struct OAuthTests {
    private static let consumers = "\(OAuth.path)/consumers"

    // MARK: Consumers

    @Test func aConsumersSecretIsShownOnce() async throws {
        try await Delegation.run { it in
            let made = await it.cloud.send(
                .post, Self.consumers, token: it.admin, json: ["consumer": ["description": "d", "some:weird-field": "x", "secret": "mine"]])
            #expect(made.status == .created)
            let consumer = try #require(made.json["consumer"])
            let id = try #require(consumer["id"]?.string)
            #expect(consumer["secret"]?.string?.count == 32)
            #expect(consumer["some_weird_field"] == "x")
            #expect(consumer["links"]?["self"] == .string("\(TestCloud.url)\(Self.consumers)/\(id)"))
            let shown = await it.cloud.send(.get, "\(Self.consumers)/\(id)", token: it.admin)
            #expect(shown.json["consumer"]?["secret"] == nil)
            #expect(shown.json["consumer"]?["description"] == "d")
            #expect(await it.cloud.send(.get, Self.consumers, token: it.admin).json["consumers"]?.array?.count == 1)
            let changed = await it.cloud.send(
                .patch, "\(Self.consumers)/\(id)", token: it.admin, json: ["consumer": ["description": "e", "weird:some-field": "y"]])
            #expect(changed.status == .ok)
            #expect(changed.json["consumer"]?["description"] == "e")
            #expect(changed.json["consumer"]?["weird_some_field"] == "y")
            #expect(changed.json["consumer"]?["some_weird_field"] == "x")
            #expect(await it.cloud.send(.delete, "\(Self.consumers)/\(id)", token: it.admin).status == .noContent)
            #expect(await it.cloud.send(.get, "\(Self.consumers)/\(id)", token: it.admin).status == .notFound)
            let plain = await it.cloud.send(.post, Self.consumers, token: it.admin, json: ["consumer": [:]])
            #expect(plain.json["consumer"]?["description"] == .null)
        }
    }

    @Test func anInvalidBodyOfAConsumerIsRefused() async throws {
        try await OAuth.run { oauth in
            let one = "\(Self.consumers)/\(oauth.client.id)"
            let admin = oauth.it.admin
            for body: JSON in [["consumer": ["description": 3]], [:], ["consumer": "x"]] {
                #expect(await oauth.it.cloud.send(.post, Self.consumers, token: admin, json: body).status == .badRequest)
                #expect(await oauth.it.cloud.send(.patch, one, token: admin, json: body).status == .badRequest)
            }
            for body: JSONObject in [["secret": "x"], ["id": "other"], [:]] {
                #expect(await oauth.it.cloud.send(.patch, one, token: admin, json: ["consumer": .object(body)]).status == .badRequest)
            }
            #expect(await oauth.it.cloud.send(.patch, "\(Self.consumers)/x", token: admin, json: ["consumer": ["a": "b"]]).status == .notFound)
            #expect(await oauth.it.cloud.send(.delete, "\(Self.consumers)/x", token: admin).status == .notFound)
        }
    }

    @Test func onlyAdministratorsManageConsumers() async throws {
        try await OAuth.run { oauth in
            let one = "\(Self.consumers)/\(oauth.client.id)"
            let body: JSON = ["consumer": ["description": "x"]]
            for (token, status) in [(oauth.it.token, HTTPResponse.Status.forbidden), (nil, .unauthorized)] as [(String?, HTTPResponse.Status)] {
                #expect(await oauth.it.cloud.send(.get, Self.consumers, token: token).status == status)
                #expect(await oauth.it.cloud.send(.post, Self.consumers, token: token, json: body).status == status)
                #expect(await oauth.it.cloud.send(.get, one, token: token).status == status)
                #expect(await oauth.it.cloud.send(.patch, one, token: token, json: body).status == status)
                #expect(await oauth.it.cloud.send(.delete, one, token: token).status == status)
            }
        }
    }

    // MARK: The way to a token

    @Test(arguments: [false, true]) func aConsumerGetsATokenWithTheAuthorizedRoles(isSHA256: Bool) async throws {
        try await OAuth.run { oauth in
            oauth.client.isSHA256 = isSHA256
            try await oauth.obtain()
            let reply = await oauth.authenticate()
            #expect(reply.status == .created)
            let token = try #require(reply.json["token"])
            #expect(token["methods"] == ["oauth1"])
            #expect(token["user"]?["name"] == "admin")
            #expect(token["project"]?["id"] == .string(oauth.it.web))
            #expect(token["OS-OAUTH1"] == ["access_token_id": .string(oauth.client.token.id), "consumer_id": .string(oauth.client.id)])
            #expect(Delegation.roleNames(token) == ["manager", "member", "reader"])
            let text = try #require(reply.headers[.subjectToken])
            let rescoped = await oauth.it.cloud.send(
                .post, "/v3/auth/tokens", json: ["auth": ["identity": ["methods": ["token"], "token": ["id": .string(text)]]]])
            #expect(rescoped.status == .forbidden)
        }
    }

    @Test func anInvalidRequestForARequestTokenIsRefused() async throws {
        try await OAuth.run { oauth in
            let path = "\(OAuth.path)/request_token"
            func status(_ header: String?, _ project: String?) async -> HTTPResponse.Status {
                var headers: HTTPFields = [:]
                headers[.authorization] = header
                headers[OAuth.project] = project
                return await oauth.requestToken(headers).status
            }
            let callback = ["oauth_callback": "oob"]
            #expect(await status(nil, oauth.it.web) == .unauthorized)
            #expect(await status("Basic abc", oauth.it.web) == .unauthorized)
            #expect(await status(oauth.header(path, callback), nil) == .badRequest)
            #expect(await status(oauth.header(path), oauth.it.web) == .badRequest)
            #expect(await status(oauth.header(path, callback), "nothing") == .notFound)
            #expect(await status(oauth.header("/v3/elsewhere", callback), oauth.it.web) == .unauthorized)
            var stranger = oauth.client
            stranger.id = "nobody"
            let now = oauth.it.cloud.clock.now
            #expect(
                await status(stranger.authorization("POST", TestCloud.url + path, at: now, nonce: "1", callback), oauth.it.web) == .notFound)
            for seconds in [-301, 301] {
                let header = oauth.client.authorization("POST", TestCloud.url + path, at: now + .seconds(seconds), nonce: "2", callback)
                #expect(await status(header, oauth.it.web) == .unauthorized)
            }
            for seconds in [-299, 299] {
                let header = oauth.client.authorization("POST", TestCloud.url + path, at: now + .seconds(seconds), nonce: "3", callback)
                #expect(await status(header, oauth.it.web) == .created)
            }
            #expect(await oauth.it.cloud.send(.get, path).status == .methodNotAllowed)
        }
    }

    @Test func aSignedRequestIsAcceptedOnce() async throws {
        try await OAuth.run { oauth in
            let header = oauth.header("\(OAuth.path)/request_token", ["oauth_callback": "oob"])
            let headers: HTTPFields = [.authorization: header, OAuth.project: oauth.it.web]
            #expect(await oauth.requestToken(headers).status == .created)
            #expect(await oauth.requestToken(headers).status == .unauthorized)
            try await oauth.obtain()
            let again = oauth.header("/v3/auth/tokens")
            #expect(await oauth.authenticate(again).status == .created)
            #expect(await oauth.authenticate(again).status == .unauthorized)
        }
    }

    @Test func parametersOfAFormMustBeSignedToo() async throws {
        try await OAuth.run { oauth in
            let path = "\(OAuth.path)/request_token"
            let header = oauth.header(path, ["oauth_callback": "oob"])
            let headers: HTTPFields = [
                .authorization: header, OAuth.project: oauth.it.web, .contentType: "application/x-www-form-urlencoded",
            ]
            // The body is a parameter that is not signed.
            #expect(await oauth.it.cloud.send(.post, path, json: "a=b", headers: headers).status == .unauthorized)
            #expect(await oauth.it.cloud.send(.post, "\(path)?a=b", headers: headers).status == .unauthorized)
        }
    }

    @Test func aUserAuthorizesOnlyRolesThatTheyHave() async throws {
        try await OAuth.run { oauth in
            try await oauth.ask()
            #expect(await oauth.authorize([["name": "admin"]]).status == .unauthorized, "an admin elsewhere, not on this project")
            #expect(await oauth.authorize([["name": "nothing"]]).status == .notFound)
            #expect(await oauth.authorize("manager").status == .badRequest)
            #expect(await oauth.authorize([["id": "a", "name": "b"]]).status == .badRequest)
            #expect(await oauth.it.cloud.send(.put, "\(OAuth.path)/authorize/\(oauth.client.token.id)", token: oauth.it.admin, json: [:]).status == .badRequest)
            #expect(await oauth.authorize([["name": "manager"]], id: "nothing").status == .notFound)
            #expect(await oauth.authorize([["name": "member"]], token: oauth.it.token).status == .forbidden)
            #expect(await oauth.it.cloud.send(.put, "\(OAuth.path)/authorize/x", json: ["roles": []]).status == .unauthorized)
            let verifier = try await oauth.verifier([["name": "reader"]])
            #expect(verifier.count == 8)
            oauth.it.cloud.clock.advance(by: .seconds(8 * 3600 + 1))
            let admin = try await oauth.it.cloud.token()
            #expect(await oauth.authorize([["name": "reader"]], token: admin).status == .unauthorized)
            #expect(await oauth.accessToken(verifier).status == .unauthorized)
        }
    }

    @Test func aVerifierIsAcceptedOnce() async throws {
        try await OAuth.run { oauth in
            try await oauth.ask()
            let path = "\(OAuth.path)/access_token"
            #expect(await oauth.accessToken("abcdefgh").status == .unauthorized, "nobody has allowed it yet")
            let verifier = try await oauth.verifier()
            #expect(await oauth.accessToken("abcdefgh").status == .unauthorized)
            #expect(await oauth.it.cloud.send(.post, path).status == .unauthorized)
            #expect(await oauth.it.cloud.send(.post, path, headers: [.authorization: oauth.header(path)]).status == .badRequest)
            var other = oauth
            other.client.token.id = "nothing"
            #expect(await other.accessToken(verifier).status == .notFound)
            other = oauth
            other.client.token.secret = "wrong"
            #expect(await other.accessToken(verifier).status == .unauthorized)
            other = try await OAuth(oauth.it)
            other.client.token = oauth.client.token
            #expect(await other.accessToken(verifier).status == .unauthorized, "another consumer's")
            #expect(await oauth.accessToken(verifier).status == .created)
            #expect(await oauth.accessToken(verifier).status == .notFound)
        }
    }

    @Test func aWrongSecretOrConsumerGetsNoToken() async throws {
        try await OAuth.run { oauth in
            try await oauth.obtain()
            let url = TestCloud.url + "/v3/auth/tokens"
            let now = oauth.it.cloud.clock.now
            var client = oauth.client
            client.token.secret = "wrong"
            #expect(await oauth.authenticate(client.authorization("POST", url, at: now, nonce: "1")).status == .unauthorized)
            client = oauth.client
            client.secret = "wrong"
            #expect(await oauth.authenticate(client.authorization("POST", url, at: now, nonce: "1")).status == .unauthorized)
            client = try await OAuth(oauth.it).client
            client.token = oauth.client.token
            #expect(await oauth.authenticate(client.authorization("POST", url, at: now, nonce: "1")).status == .unauthorized)
            client.token = ("", "")
            #expect(await oauth.authenticate(client.authorization("POST", url, at: now, nonce: "1")).status == .badRequest)
            #expect(await oauth.authenticate("Basic abc").status == .unauthorized)
            oauth.it.cloud.clock.advance(by: .seconds(24 * 3600 + 1))
            #expect(await oauth.authenticate().status == .unauthorized)
        }
    }

    // MARK: What users have allowed

    @Test func anAccessTokenIsShownWithItsRolesAndEndsWhenItIsDeleted() async throws {
        try await OAuth.run { oauth in
            let it = oauth.it
            try await oauth.obtain([["id": .string(it.member)], ["name": "manager"]])
            let all = "/v3/users/\(oauth.user)/OS-OAUTH1/access_tokens"
            let one = "\(all)/\(oauth.client.token.id)"
            let listed = await it.cloud.send(.get, all, token: it.admin)
            let shown = await it.cloud.send(.get, one, token: it.admin).json["access_token"]
            #expect(listed.json["access_tokens"] == .array([shown ?? .null]))
            #expect(
                shown?.object == [
                    "id": .string(oauth.client.token.id), "consumer_id": .string(oauth.client.id),
                    "authorizing_user_id": .string(oauth.user), "project_id": .string(it.web),
                    "expires_at": "2026-01-02T00:00:00.000000Z",
                    "links": ["self": .string(TestCloud.url + one), "roles": .string("\(TestCloud.url)\(one)/roles")],
                ])
            let roles = await it.cloud.send(.get, "\(one)/roles", token: it.admin).json["roles"]?.array
            #expect(Set(roles?.compactMap { $0["name"]?.string } ?? []) == ["manager", "member"])
            #expect(await it.cloud.send(.get, "\(one)/roles/\(it.member)", token: it.admin).json["role"]?["name"] == "member")
            #expect(await it.cloud.send(.get, "\(one)/roles/\(it.reader)", token: it.admin).status == .notFound)

            let other = "/v3/users/\(it.bob)/OS-OAUTH1/access_tokens"
            #expect(await it.cloud.send(.get, other, token: it.admin).json["access_tokens"] == [])
            let wrong = "\(other)/\(oauth.client.token.id)"
            #expect(await it.cloud.send(.get, wrong, token: it.admin).status == .notFound)
            #expect(await it.cloud.send(.get, "\(wrong)/roles", token: it.admin).status == .notFound)
            #expect(await it.cloud.send(.get, "\(wrong)/roles/\(it.member)", token: it.admin).status == .unauthorized)
            #expect(await it.cloud.send(.delete, wrong, token: it.admin).status == .unauthorized)
            for (token, status) in [(it.token, HTTPResponse.Status.forbidden), (nil, .unauthorized)] as [(String?, HTTPResponse.Status)] {
                for path in [all, one, "\(one)/roles", "\(one)/roles/\(it.member)"] {
                    #expect(await it.cloud.send(.get, path, token: token).status == status)
                }
                #expect(await it.cloud.send(.delete, one, token: token).status == status)
            }
            let token = try #require(await oauth.authenticate().headers[.subjectToken])
            #expect(await it.check(token) == .ok)
            #expect(await it.cloud.send(.delete, one, token: it.admin).status == .noContent)
            #expect(await it.check(token) == .notFound)
            #expect(await oauth.authenticate().status == .unauthorized)
            #expect(await it.cloud.send(.get, one, token: it.admin).status == .notFound)
            #expect(await it.cloud.send(.delete, one, token: it.admin).status == .notFound)
        }
    }

    @Test func deletingAConsumerRevokesItsTokens() async throws {
        try await OAuth.run { oauth in
            try await oauth.obtain()
            let token = try #require(await oauth.authenticate().headers[.subjectToken])
            let deleted = await oauth.it.cloud.send(.delete, "\(Self.consumers)/\(oauth.client.id)", token: oauth.it.admin)
            #expect(deleted.status == .noContent)
            #expect(await oauth.it.check(token) == .notFound)
            let all = "/v3/users/\(oauth.user)/OS-OAUTH1/access_tokens"
            #expect(await oauth.it.cloud.send(.get, all, token: oauth.it.admin).json["access_tokens"] == [])
        }
    }

    @Test func aRoleThatTheUserLosesIsLostToTheConsumer() async throws {
        try await OAuth.run { oauth in
            try await oauth.it.grant(oauth.it.member, to: oauth.user)
            try await oauth.obtain()
            let token = try #require(await oauth.authenticate().headers[.subjectToken])
            await oauth.it.revoke(oauth.it.manager, from: oauth.user)
            #expect(Delegation.roleNames(await oauth.it.show(token)) == ["member", "reader"])
            await oauth.it.revoke(oauth.it.member, from: oauth.user)
            #expect(await oauth.it.check(token) == .notFound)
        }
    }

    @Test func aTokenOfAConsumerCannotDelegate() async throws {
        try await OAuth.run { oauth in
            let it = oauth.it
            try await it.grant(try #require(it.roles["admin"]), to: oauth.user)
            try await oauth.obtain([["name": "admin"]])
            let token = try #require(await oauth.authenticate().headers[.subjectToken])
            #expect(await it.cloud.send(.get, "/v3/users", token: token).status == .ok, "an administrator's token otherwise")
            let trust: JSONObject = ["trustor_user_id": .string(oauth.user)]
            #expect(await it.postTrust(trust, token: token).status == .forbidden)
            #expect(await it.cloud.send(.get, "/v3/OS-TRUST/trusts", token: token).status == .forbidden)
            #expect(await it.postCredential(user: oauth.user, token: token).status == .forbidden)
            #expect(await it.cloud.send(.get, "/v3/users/\(oauth.user)/application_credentials", token: token).status == .forbidden)
            let all = "/v3/users/\(oauth.user)/OS-OAUTH1/access_tokens"
            #expect(await it.cloud.send(.get, all, token: token).status == .forbidden)
            #expect(await it.cloud.send(.get, "\(all)/\(oauth.client.token.id)", token: token).status == .forbidden)
            #expect(await it.cloud.send(.delete, "\(all)/\(oauth.client.token.id)", token: token).status == .forbidden)
            try await oauth.ask()
            #expect(await oauth.authorize([["name": "manager"]], token: token).status == .forbidden)
        }
    }
}
