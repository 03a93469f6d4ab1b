import CloudCore
import HTTPKit
import Resources
import SQL

/// An application credential: some of a user's roles on one project, with a secret of its own.
struct ApplicationCredentialMethod: AuthenticationMethod {
    let identity: IdentityContext
    private let directory = UserDirectory()

    init(identity: IdentityContext) { self.identity = identity }

    private struct Found: Sendable {
        var user: User
        var id: ID<Kind.ApplicationCredential>
        var projectID: ID<Kind.Project>
        var secretHash: String
        var expiresAt: Timestamp?
    }

    func prove(_ parameters: JSONObject, _ call: Call) async throws -> Proof {
        let secret = Secret(parameters["secret"]?.string ?? "")
        let id = parameters["id"]?.string
        let name = parameters["name"]?.string
        let owner = try parameters["user"]?.object.map { try AuthRequest.reference($0, at: "auth/identity/application_credential/user") }
        guard id != nil || (name != nil && owner != nil) else {
            throw Shape.wrong("auth/identity/application_credential", "it needs an id, or a name and its user")
        }
        let found = try await identity.base.read { tx -> Found? in
            if let id { return try find("a.id = ?", [.text(id)], in: tx) }
            guard let owner, let name, let user = try directory.find(owner, in: tx) else { return nil }
            return try find("a.name = ? AND a.user_id = ?", [.text(name), user.id.sql], in: tx)
        }
        let isRight = try await identity.hasher.verify(secret, found?.secretHash)
        guard let found, isRight, found.user.isEnabled, found.expiresAt.map({ identity.world.now < $0 }) ?? true else {
            throw TokenService.refused("a wrong application credential")
        }
        var proof = Proof(user: found.user, .applicationCredential)
        proof.scope = .project(found.projectID)
        proof.expiresAt = found.expiresAt
        proof.applicationCredentialID = found.id
        return proof
    }

    private func find(_ condition: String, _ arguments: [SQLValue], in tx: Transaction) throws -> Found? {
        let rows = try tx.rows(
            "SELECT a.id, a.user_id, a.project_id, a.secret_hash, a.expires_at FROM identity_application_credential a WHERE \(condition)",
            arguments: arguments)
        guard let row = rows.first, let user = try ResourceStore<User>().find(try row["user_id"], in: tx) else { return nil }
        return Found(
            user: user, id: try row["id"], projectID: try row["project_id"], secretHash: try row["secret_hash"],
            expiresAt: try row["expires_at"])
    }
}
