import CloudCore
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Identity

/// Delegations of a user that are written directly into the tables.
enum HandedOn {
    /// Makes an application credential of the demo user for their role on their project. Its secret is `secret`.
    static func makeApplicationCredential(_ stage: Stage, id: String = "app", expiresAt: Timestamp? = nil) async throws {
        let hash = try await PasswordHasher(cost: .negligible, random: stage.cloud.world.random).hash(Secret("secret"))
        let role = try await stage.role("member")
        try await stage.cloud.database.write { tx in
            tx.changed(Topic("identity"))
            try tx.execute(
                """
                INSERT INTO identity_application_credential (id, user_id, project_id, name, secret_hash, expires_at, unrestricted)
                VALUES (?, ?, ?, ?, ?, ?, 0)
                """, id, stage.demoID, stage.demoProject, id, hash, expiresAt)
            try tx.execute("INSERT INTO identity_application_credential_role (application_credential_id, role_id) VALUES (?, ?)", id, role)
        }
    }

    /// Returns a token of an application credential of the demo user.
    static func applicationCredential(_ stage: Stage) async throws -> String {
        try await makeApplicationCredential(stage)
        let auth: JSON = [
            "auth": ["identity": ["methods": ["application_credential"], "application_credential": ["id": "app", "secret": "secret"]]]
        ]
        let response = await stage.cloud.send(.post, "/v3/auth/tokens", json: auth)
        #expect(response.status == .created, "\(response.text)")
        return try #require(response.headers[.subjectToken])
    }

    /// Returns a token for a signature by the demo user's key pair.
    static func signature(_ stage: Stage, _ pair: JSON) async throws -> String {
        let access = try #require(pair["credential"]?["access"]?.string)
        let secret = try #require(pair["credential"]?["secret"]?.string)
        let response = await stage.cloud.send(
            .post, "/v3/ec2tokens", token: stage.admin, json: Signing.two(access, secret, at: stage.cloud.clock.now))
        #expect(response.status == .ok, "\(response.text)")
        return try #require(response.headers[.subjectToken])
    }

    /// Makes a trust of the demo user's role `member` on their project to another user.
    static func makeTrust(
        _ stage: Stage, id: String, trustee: String, impersonation: Bool, uses: Int? = nil, expiresAt: Timestamp? = nil
    ) async throws {
        let role = try await stage.role("member")
        try await stage.cloud.database.write { tx in
            tx.changed(Topic("identity"))
            try tx.execute(
                """
                INSERT INTO identity_trust (id, trustor_user_id, trustee_user_id, project_id, impersonation, expires_at, remaining_uses,
                  redelegation_count, extra) VALUES (?, ?, ?, ?, ?, ?, ?, 0, '{}')
                """, id, stage.demoID, trustee, stage.demoProject, impersonation, expiresAt, uses)
            try tx.execute("INSERT INTO identity_trust_role (trust_id, role_id) VALUES (?, ?)", id, role)
        }
    }
}
