import CloudCore
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Identity

/// The lists that a user could make longer without end: each ends at its limit, and one more is refused.
@Suite("Room for a user's things") struct RoomTests {
    @Test("A user has as many access rules as allowed, with those that no credential names any more")
    func accessRules() async throws {
        try await Stage.run { stage in
            let path = "/v3/users/\(stage.demoID)/application_credentials"
            func credential(_ rules: Range<Int>) async -> TestCloud.Response {
                let rules = rules.map { rule -> JSON in
                    ["service": "compute", "method": "GET", "path": .string("/\(rule)")]
                }
                let made: JSON = ["name": .string("c\(rules.count)"), "access_rules": .array(rules)]
                return await stage.cloud.send(.post, path, token: stage.demo, json: ["application_credential": made])
            }
            let each = Limits.thing.accessRules.most
            for first in stride(from: 0, to: Limits.owner.accessRules.most, by: each) {
                let made = await credential(first..<(first + each))
                #expect(made.status == .created, "\(made.text)")
                let id = try #require(made.json["application_credential"]?["id"]?.string)
                #expect(await stage.cloud.send(.delete, "\(path)/\(id)", token: stage.demo).status == .noContent)
            }
            let refused = await credential(Limits.owner.accessRules.most..<(Limits.owner.accessRules.most + 1))
            #expect(refused.status == .forbidden)
            #expect(refused.text.contains("Unable to create additional access rules, maximum of 2000"))
            // A rule that is there already takes no room.
            #expect(await credential(0..<1).status == .created)
        }
    }

    @Test("A user gives as many trusts as allowed; ended trusts make room")
    func trusts() async throws {
        try await Delegation.run { it in
            func give(_ second: Int, _ more: JSONObject = [:]) async -> TestCloud.Response {
                var members = more
                let hour = 10 + second / 3600
                let text = "2026-01-01T\(hour):\(two(second / 60 % 60)):\(two(second % 60)).000000Z"
                members["expires_at"] = .string(text)
                return await it.postTrust(members)
            }
            for second in 0..<Limits.owner.trusts.most {
                let made = await give(second)
                #expect(made.status == .created, "\(made.text)")
            }
            let refused = await give(Limits.owner.trusts.most)
            #expect(refused.status == .forbidden)
            #expect(refused.text.contains("Unable to create additional trusts, maximum of 200"))
            try await it.cloud.database.write { tx in
                try tx.execute("UPDATE identity_trust SET remaining_uses = 0 WHERE expires_at < ?", ten + .seconds(2))
            }
            #expect(await give(Limits.owner.trusts.most).status == .created)
            let left: Int? = try await it.cloud.database.read { tx in
                try tx.value("SELECT count(*) FROM identity_trust")
            }
            #expect(left == Limits.owner.trusts.most - 2 + 1)
        }
    }

    private var ten: Timestamp { Timestamp(iso8601: "2026-01-01T10:00:00Z") ?? Timestamp(microseconds: 0) }
    private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    @Test("A user ends as many tokens in an hour as allowed, and others are not concerned")
    func revocations() async throws {
        try await Stage.run { stage in
            func end(_ user: String, as token: String) async -> TestCloud.Response {
                await stage.cloud.send(.delete, "/v3/users/\(user)/tokens", token: token)
            }
            let carol = try await stage.user("carol", role: "member")
            for _ in 0..<Limits.owner.revocations.most {
                #expect(await end(carol.id, as: stage.admin).status == .noContent)
            }
            let refused = await end(carol.id, as: stage.admin)
            #expect(refused.status == .tooManyRequests)
            #expect(refused.headers[.retryAfter] == "3600")
            #expect(await end(stage.demoID, as: stage.demo).status == .noContent)
            stage.cloud.clock.advance(by: .seconds(3600))
            #expect(await end(carol.id, as: try stage.cloud.token()).status == .noContent)
        }
    }

    @Test("A consumer has as many request tokens as allowed, and a user as many access tokens")
    func oauth() async throws {
        try await OAuth.run { oauth in
            let cloud = oauth.it.cloud
            try await oauth.ask()
            try await Self.fill(cloud, "identity_request_token", Limits.owner.requestTokens.most)
            oauth.client.token = ("", "")
            let header = oauth.header("\(OAuth.path)/request_token", ["oauth_callback": "oob"])
            let refused = await oauth.requestToken([.authorization: header, OAuth.project: oauth.it.web])
            #expect(refused.status == .forbidden)
            #expect(refused.text.contains("The consumer has as many request tokens as it may have: 1000."))
        }
        try await OAuth.run { oauth in
            try await oauth.obtain()
            try await Self.fill(oauth.it.cloud, "identity_access_token", Limits.owner.accessTokens.most)
            try await oauth.ask()
            let refused = await oauth.accessToken(try await oauth.verifier())
            #expect(refused.status == .forbidden)
            #expect(refused.text.contains("Unable to create additional access tokens, maximum of 200"))
        }
    }

    /// Copies the only row of a table until there are as many rows as wanted.
    private static func fill(_ cloud: TestCloud, _ table: String, _ count: Int) async throws {
        try await cloud.database.write { tx in
            let row = try #require(try tx.rows("SELECT * FROM \(table)").first)
            let marks = row.values.map { _ in "?" }.joined(separator: ", ")
            for number in 1..<count {
                // The first column is the id.
                let values = [.text("filled-\(number)")] + row.values.dropFirst()
                try tx.execute("INSERT INTO \(table) VALUES (\(marks))", arguments: values)
            }
        }
    }
}
