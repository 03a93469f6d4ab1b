import CloudCore
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Identity

@Suite("Costs of revocations for others") struct RevocationCostTests {
    /// Makes a token from another one, and revokes it.
    private func revokeOne(_ cloud: TestCloud, _ token: String) async throws {
        let identity: JSON = ["methods": ["token"], "token": ["id": .string(token)]]
        let made = await cloud.send(.post, "/v3/auth/tokens", json: ["auth": ["identity": identity]])
        let child = try #require(made.headers[.subjectToken])
        let gone = await cloud.send(.delete, "/v3/auth/tokens", token: token, headers: [.subjectToken: child])
        #expect(gone.status == .noContent)
        #expect(await cloud.send(.get, "/v3/auth/projects", token: child).status == .unauthorized)
    }

    private func statements(_ cloud: TestCloud, _ body: () async throws -> Void) async rethrows -> Int {
        let before = cloud.database.statements
        try await body()
        return cloud.database.statements - before
    }

    @Test("A revocation costs one more statement on the next use of another user's token, and none after it")
    func oneStatement() async throws {
        try await Stage.run { stage in
            func look() async { _ = await stage.send(.get, "/v3/projects/\(stage.demoProject)", as: stage.demo, .ok) }
            await look()
            let usual = await statements(stage.cloud) { await look() }
            try await revokeOne(stage.cloud, stage.admin)
            #expect(await statements(stage.cloud) { await look() } == usual + 1)
            #expect(await statements(stage.cloud) { await look() } == usual)
        }
    }

    @Test("A user's new password does not empty the cache of other users' tokens")
    func passwords() async throws {
        try await Stage.run { stage in
            let user = try await stage.user("ann", role: "member")
            func look() async { _ = await stage.send(.get, "/v3/projects/\(stage.demoProject)", as: stage.demo, .ok) }
            await look()
            let usual = await statements(stage.cloud) { await look() }
            let body: JSON = ["user": ["original_password": "a-password-of-tests", "password": "another-password"]]
            let changed = await stage.cloud.send(.post, "/v3/users/\(user.id)/password", json: body)
            #expect(changed.status == .noContent, "\(changed.text)")
            #expect(await statements(stage.cloud) { await look() } == usual + 1)
            #expect(await stage.cloud.send(.get, "/v3/auth/projects", token: user.token).status == .unauthorized)
        }
    }

    @Test("Revocation events are found by an index on what they name, without a scan")
    func byIndex() async throws {
        try await Stage.run { stage in
            let plan = try await stage.cloud.database.read { tx in
                let token = Token(
                    userID: ID(stage.demoID), methods: .password, scope: .project(ID(stage.demoProject)), issuedAt: Timestamp(seconds: 1),
                    expiresAt: Timestamp(seconds: 2), auditIDs: ["a", "b"])
                let (sql, arguments) = RevocationStore.concerning(token)
                guard tx.dialect == .sqlite else { return [String]() }
                return try tx.rows("EXPLAIN QUERY PLAN " + sql, arguments: arguments).map { try $0["detail"] }
            }
            #expect(!plan.contains { $0.contains("SCAN") || $0.contains("identity_revocation_at") }, "\(plan)")
        }
    }

    @Test("Events older than every valid token are removed, in several transactions if they are many")
    func pruning() async throws {
        try await Stage.run { stage in
            let store = RevocationStore()
            try await stage.cloud.database.write { tx in
                for number in 0..<2500 {
                    var event = Revocation(id: "old-\(number)", at: Timestamp(seconds: 1))
                    event.auditID = "a-\(number)"
                    try store.insert(event, in: tx)
                }
            }
            try await revokeOne(stage.cloud, stage.admin)
            let before = try await stage.cloud.database.read { tx in try store.all(since: nil, in: tx).count }
            let horizon = Timestamp(seconds: 2)
            #expect(try await stage.cloud.database.write { tx in try store.prune(before: horizon, in: tx) })
            #expect(try await !stage.cloud.database.write { tx in try store.prune(before: horizon, in: tx) })
            let after = try await stage.cloud.database.read { tx in try store.all(since: nil, in: tx).count }
            #expect(before - after == 2500 && after > 0)
        }
    }

    @Test("Each kind of event revokes the tokens that it names", arguments: DatabaseKind.allCases)
    func everyKind(kind: DatabaseKind) async throws {
        try await TestCloud.run(on: kind) { cloud in
            let store = RevocationStore()
            var token = Token(
                userID: ID("u"), methods: .password, scope: .project(ID("p")), issuedAt: Timestamp(seconds: 10),
                expiresAt: Timestamp(seconds: 99), auditIDs: ["own", "chain"])
            token.trustID = ID("t")
            token.accessTokenID = ID("x")
            var onDomain = token
            onDomain.scope = .domain(ID("d"))
            let kinds: [(inout Revocation) -> Void] = [
                { $0.auditID = "own" }, { $0.auditChainID = "chain" }, { $0.userID = ID("u") }, { $0.projectID = ID("p") },
                { $0.domainID = ID("d") }, { $0.trustID = ID("t") }, { $0.accessTokenID = "x" },
            ]
            for (number, name) in kinds.enumerated() {
                var event = Revocation(id: "e-\(number)", at: Timestamp(seconds: 20))
                name(&event)
                let (made, wanted) = (event, event.domainID == nil ? token : onDomain)
                try await cloud.database.write { tx in
                    try store.insert(made, in: tx)
                    #expect(try store.concerning(wanted, in: tx).contains { $0.covers(wanted) }, "\(made)")
                    try tx.execute("DELETE FROM identity_revocation WHERE id = ?", made.id)
                }
            }
        }
    }
}
