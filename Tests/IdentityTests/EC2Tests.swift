import CloudCore
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Identity

/// EC2 keys, and the tokens for requests that are signed with them.
@Suite struct EC2Tests {
    private struct Keys {
        var access: String
        var secret: String
    }

    private func keys(_ stage: Stage) async throws -> Keys {
        let made = await stage.send(
            .post, "/v3/users/\(stage.demoID)/credentials/OS-EC2", ["tenant_id": .string(stage.demoProject)], as: stage.demo, .created)
        return Keys(
            access: try #require(made["credential"]?["access"]?.string), secret: try #require(made["credential"]?["secret"]?.string))
    }

    /// Stores a key whose blob has the given members.
    private func store(_ stage: Stage, _ keys: Keys, _ more: String, project: String? = nil) async {
        let blob = #"{"access": "\#(keys.access)", "secret": "\#(keys.secret)", \#(more)}"#
        let credential: JSON = [
            "user_id": .string(stage.demoID), "type": "ec2", "project_id": .string(project ?? stage.demoProject), "blob": .string(blob),
        ]
        _ = await stage.send(.post, "/v3/credentials", ["credential": credential], as: stage.demo, .created)
    }

    // MARK: Keys

    @Test func aUserMakesFindsAndDeletesKeys() async throws {
        try await Stage.run { stage in
            let path = "/v3/users/\(stage.demoID)/credentials/OS-EC2"
            let keys = try await keys(stage)
            let shown = await stage.send(.get, "\(path)/\(keys.access)", as: stage.demo, .ok)
            #expect(shown["credential"]?["secret"]?.string == keys.secret)
            #expect(shown["credential"]?["tenant_id"]?.string == stage.demoProject)
            #expect(shown["credential"]?["user_id"]?.string == stage.demoID)
            #expect(shown["credential"]?["trust_id"]?.isNull == true)
            #expect(shown["credential"]?["links"]?["self"]?.string == "\(TestCloud.url)\(path)/\(keys.access)")
            let listed = await stage.send(.get, path, as: stage.demo, .ok)
            #expect(listed["credentials"]?.array?.compactMap { $0["access"]?.string } == [keys.access])
            _ = await stage.send(.delete, "\(path)/\(keys.access)", as: stage.demo, .noContent)
            _ = await stage.send(.get, "\(path)/\(keys.access)", as: stage.demo, .notFound)
            _ = await stage.send(.delete, "\(path)/\(keys.access)", as: stage.demo, .notFound)
        }
    }

    @Test func everyRouteOfKeysRefusesCallersWithoutRights() async throws {
        try await Stage.run { stage in
            let path = "/v3/users/\(stage.adminID)/credentials/OS-EC2"
            let body: JSON = ["tenant_id": .string(stage.demoProject)]
            let made = await stage.send(.post, path, body, as: stage.admin, .created)
            let one = "\(path)/\(try #require(made["credential"]?["access"]?.string))"
            await stage.guarded(.get, path, missing: "/v3/users/none/credentials/OS-EC2")
            await stage.guarded(.post, path, body, missing: "/v3/users/none/credentials/OS-EC2")
            await stage.guarded(.get, one, missing: "\(path)/none")
            await stage.guarded(.delete, one, missing: "\(path)/none")
            await stage.refuses(.post, path, [[:], ["tenant_id": 1], ["tenant_id": ""]])
            _ = await stage.send(.post, path, ["tenant_id": "none"], as: stage.admin, .notFound)
            // The key is not found under another user's path.
            _ = await stage.send(.get, one.replacing(stage.adminID, with: stage.demoID), as: stage.demo, .forbidden)
            _ = await stage.send(.get, one.replacing(stage.adminID, with: stage.demoID), as: stage.admin, .notFound)
        }
    }

    // MARK: Signatures

    @Test func aSignatureOfEachVersionGivesAToken() async throws {
        try await Stage.run { stage in
            let keys = try await keys(stage)
            let now = stage.cloud.clock.now
            let service = try await stage.user("nova", role: "service").token
            let requests: [(String, JSON)] = [
                ("0", Signing.zero(keys.access, keys.secret, at: now)), ("1", Signing.one(keys.access, keys.secret, at: now)),
                ("2", Signing.two(keys.access, keys.secret, at: now)),
                ("2 with a port", Signing.two(keys.access, keys.secret, at: now, host: "cloud:8773", signedHost: "cloud")),
                ("4", Signing.four(keys.access, keys.secret, at: now)),
                ("4 in the query", Signing.four(keys.access, keys.secret, at: now, inQuery: true)),
                ("4 of a POST", Signing.four(keys.access, keys.secret, at: now, verb: "POST")),
            ]
            for (name, request) in requests {
                let response = await stage.cloud.send(.post, "/v3/ec2tokens", token: service, json: request)
                #expect(response.status == .ok, "\(name): \(response.text)")
                let token = response.json["token"]
                #expect(token?["methods"] == ["ec2credential"])
                #expect(token?["user"]?["id"]?.string == stage.demoID)
                #expect(token?["project"]?["id"]?.string == stage.demoProject)
                let text = try #require(response.headers[.subjectToken])
                _ = await stage.send(.get, "/v3/auth/projects", as: text, .ok)
            }
        }
    }

    @Test func everyRouteOfSignaturesRefusesCallersWithoutRights() async throws {
        try await Stage.run { stage in
            let keys = try await keys(stage)
            let request = Signing.two(keys.access, keys.secret, at: stage.cloud.clock.now)
            for path in ["/v3/ec2tokens", "/v3/s3tokens"] {
                await stage.guarded(.post, path, request)
                _ = await stage.send(.get, path, as: stage.admin, .methodNotAllowed)
                await stage.refuses(.post, path, [[:], ["credentials": "x"], ["credentials": ["access": 1]]])
                _ = await stage.send(.post, path, ["credentials": ["signature": "x"]], as: stage.admin, .unauthorized)
                _ = await stage.send(.post, path, ["credentials": ["access": .string(keys.access)]], as: stage.admin, .unauthorized)
                _ = await stage.send(.post, path, ["credentials": ["access": "none", "signature": "x"]], as: stage.admin, .notFound)
            }
            await stage.refuses(.post, "/v3/ec2tokens", [["credentials": ["access": "x", "params": ["a": [:]]]]])
        }
    }

    @Test func aWrongSignatureIsRefused() async throws {
        try await Stage.run { stage in
            let keys = try await keys(stage)
            let now = stage.cloud.clock.now
            for make in [Signing.zero, Signing.one] {
                _ = await stage.send(.post, "/v3/ec2tokens", make(keys.access, "wrong", now), as: stage.admin, .unauthorized)
            }
            for request in [Signing.two(keys.access, "wrong", at: now), Signing.four(keys.access, "wrong", at: now)] {
                _ = await stage.send(.post, "/v3/ec2tokens", request, as: stage.admin, .unauthorized)
            }
            // A signed request cannot be extended.
            let more = Signing.four(keys.access, keys.secret, at: now, unsigned: ["Action": "TerminateInstances"])
            _ = await stage.send(.post, "/v3/ec2tokens", more, as: stage.admin, .unauthorized)
            _ = await stage.send(
                .post, "/v3/ec2tokens", Signing.two(keys.access, keys.secret, at: now, more: ["SignatureVersion": "9"]), as: stage.admin,
                .unauthorized)
        }
    }

    @Test func aUserWhoLostTheProjectGetsNoTokenOfIt() async throws {
        try await Stage.run { stage in
            let keys = try await keys(stage)
            let role = try await stage.role("member")
            _ = await stage.send(.delete, "/v3/projects/\(stage.demoProject)/users/\(stage.demoID)/roles/\(role)", as: stage.admin, .noContent)
            let request = Signing.two(keys.access, keys.secret, at: stage.cloud.clock.now)
            _ = await stage.send(.post, "/v3/ec2tokens", request, as: stage.admin, .unauthorized)
        }
    }

    @Test func ossa_2020_003_aSignatureIsValidForFifteenMinutes() async throws {
        try await Stage.run { stage in
            let keys = try await keys(stage)
            let now = stage.cloud.clock.now
            func exchange(_ request: JSON, _ expected: HTTPResponse.Status, _ path: String = "/v3/ec2tokens") async {
                _ = await stage.send(.post, path, request, as: stage.admin, expected)
            }
            for age in [Duration.seconds(-901), .seconds(901), .seconds(86_400)] {
                let moment = now - age
                await exchange(Signing.zero(keys.access, keys.secret, at: moment), .unauthorized)
                await exchange(Signing.one(keys.access, keys.secret, at: moment), .unauthorized)
                await exchange(Signing.two(keys.access, keys.secret, at: moment), .unauthorized)
                await exchange(Signing.four(keys.access, keys.secret, at: moment), .unauthorized)
                await exchange(Signing.s3Four(keys.access, keys.secret, at: moment), .unauthorized, "/v3/s3tokens")
            }
            await exchange(Signing.two(keys.access, keys.secret, at: now - .seconds(899)), .ok)
            await exchange(Signing.two(keys.access, keys.secret, at: nil), .unauthorized)
            // A time that the signature does not cover is ignored.
            let fresh = ["Timestamp": now.iso8601Seconds]
            await exchange(Signing.four(keys.access, keys.secret, at: now - .seconds(901), unsigned: fresh, verb: "POST"), .unauthorized)
        }
    }

    @Test func ossa_2025_002_onlyServicesExchangeSignaturesAndPresignedURLsAreRefused() async throws {
        try await Stage.run { stage in
            let keys = try await keys(stage)
            let now = stage.cloud.clock.now
            let request = Signing.four(keys.access, keys.secret, at: now)
            _ = await stage.send(.post, "/v3/ec2tokens", request, as: nil, .unauthorized)
            _ = await stage.send(.post, "/v3/ec2tokens", request, as: stage.demo, .forbidden)
            let s3 = Signing.s3Four(keys.access, keys.secret, at: now)
            _ = await stage.send(.post, "/v3/s3tokens", s3, as: nil, .unauthorized)
            _ = await stage.send(.post, "/v3/s3tokens", s3, as: stage.demo, .forbidden)
            let presigned = Signing.four(keys.access, keys.secret, at: now, inQuery: true, expires: 604_800)
            _ = await stage.send(.post, "/v3/ec2tokens", presigned, as: stage.admin, .unauthorized)
            let older = Signing.two(keys.access, keys.secret, at: nil, more: ["Expires": "2027-01-01T00:00:00Z"])
            _ = await stage.send(.post, "/v3/ec2tokens", older, as: stage.admin, .unauthorized)
            let end = Signing.s3(keys.access, keys.secret, date: "1799999999")
            _ = await stage.send(.post, "/v3/s3tokens", end, as: stage.admin, .unauthorized)
        }
    }

    @Test func anObjectStoreLearnsWhoSignedARequest() async throws {
        try await Stage.run { stage in
            let keys = try await keys(stage)
            let requests = [
                Signing.s3Four(keys.access, keys.secret, at: stage.cloud.clock.now),
                Signing.s3(keys.access, keys.secret, date: "Thu, 01 Jan 2026 00:05:00 GMT"),
                Signing.s3(keys.access, keys.secret, date: "", more: "x-amz-date:Thu, 01 Jan 2026 00:05:00 +0000\n"),
            ]
            for request in requests {
                let response = await stage.cloud.send(.post, "/v3/s3tokens", token: stage.admin, json: request)
                #expect(response.status == .ok, "\(response.text)")
                #expect(response.json["token"]?["user"]?["id"]?.string == stage.demoID)
                #expect(response.headers[.subjectToken] == nil)
            }
            let wrong = Signing.s3(keys.access, "wrong", date: "Thu, 01 Jan 2026 00:05:00 GMT")
            _ = await stage.send(.post, "/v3/s3tokens", wrong, as: stage.admin, .unauthorized)
        }
    }

    // MARK: Restrictions

    @Test func ossa_2013_032_aTokenOfAKeyHasTheRestrictionsOfTheKey() async throws {
        try await Stage.run { stage in
            let now = stage.cloud.clock.now
            try await HandedOn.makeApplicationCredential(stage, expiresAt: now + .seconds(60))
            let keys = Keys(access: "restricted", secret: "s")
            await store(stage, keys, #""app_cred_id": "app""#)
            let response = await stage.cloud.send(
                .post, "/v3/ec2tokens", token: stage.admin, json: Signing.two(keys.access, keys.secret, at: now))
            #expect(response.status == .ok, "\(response.text)")
            #expect(response.json["token"]?["application_credential"]?["id"]?.string == "app")
            #expect(response.json["token"]?["expires_at"]?.string == (now + .seconds(60)).iso8601Microseconds)
            // The token cannot be exchanged for another.
            let token = try #require(response.headers[.subjectToken])
            let again: JSON = ["auth": ["identity": ["methods": ["token"], "token": ["id": .string(token)]]]]
            _ = await stage.send(.post, "/v3/auth/tokens", again, as: nil, .forbidden)
            stage.cloud.clock.advance(by: .seconds(60))
            let late = Signing.two(keys.access, keys.secret, at: stage.cloud.clock.now)
            _ = await stage.send(.post, "/v3/ec2tokens", late, as: stage.admin, .unauthorized)
        }
    }

    @Test func ossa_2013_032_aKeyWithATrustGivesATokenOnlyToTheUserForWhomTheTrustActs() async throws {
        try await Stage.run { stage in
            let other = try await stage.user("other", role: "reader")
            try await HandedOn.makeTrust(stage, id: "mine", trustee: other.id, impersonation: true, uses: 1)
            try await HandedOn.makeTrust(stage, id: "theirs", trustee: other.id, impersonation: false)
            let now = stage.cloud.clock.now
            func exchange(_ access: String, _ expected: HTTPResponse.Status) async -> JSON {
                await stage.send(.post, "/v3/ec2tokens", Signing.two(access, "s", at: now), as: stage.admin, expected)
            }
            await store(stage, Keys(access: "a", secret: "s"), #""trust_id": "mine""#)
            let token = await exchange("a", .ok)["token"]
            #expect(token?["OS-TRUST:trust"]?["id"]?.string == "mine")
            #expect(token?["user"]?["id"]?.string == stage.demoID)
            #expect(token?["roles"]?.array?.contains { $0["name"]?.string == "member" } == true)
            // The trust could be used once.
            _ = await exchange("a", .unauthorized)
            // Without impersonation, the token would belong to the trustee.
            await store(stage, Keys(access: "b", secret: "s"), #""trust_id": "theirs""#)
            _ = await exchange("b", .unauthorized)
            await store(stage, Keys(access: "c", secret: "s"), #""trust_id": "none""#)
            _ = await exchange("c", .unauthorized)
            await store(stage, Keys(access: "d", secret: "s"), #""app_cred_id": "none""#)
            _ = await exchange("d", .unauthorized)
            await store(stage, Keys(access: "e", secret: "s"), #""access_token_id": "none""#)
            _ = await exchange("e", .unauthorized)
            await store(stage, Keys(access: "f", secret: "s"), #""access_token_id": "none", "trust_id": "mine""#)
            _ = await exchange("f", .unauthorized)
        }
    }

    @Test func aKeyForAnotherProjectThanItsRestrictionIsRefused() async throws {
        try await Stage.run { stage in
            try await HandedOn.makeApplicationCredential(stage)
            let elsewhere = try await stage.project("elsewhere")
            await store(stage, Keys(access: "a", secret: "s"), #""app_cred_id": "app""#, project: elsewhere)
            let request = Signing.two("a", "s", at: stage.cloud.clock.now)
            _ = await stage.send(.post, "/v3/ec2tokens", request, as: stage.admin, .unauthorized)
        }
    }
}
