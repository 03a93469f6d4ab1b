import CloudCore
import SQL

/// Restricts tokens to the delegation that an EC2 key was made with.
struct RestrictionStore: Sendable {
    private let trusts = TrustStore()

    /// Returns a token with the restriction of its key. It counts a use of a trust.
    ///
    /// - Parameter token: a token for the credential's user and project.
    /// - Throws: `CloudError.unauthenticated` if the key's delegation is gone or has ended, or belongs to another user
    /// or project.
    func restrict(_ token: Token, to restriction: EC2Key.Restriction, on project: ID<Kind.Project>, in tx: Transaction) throws -> Token {
        // No key is created here with more than one restriction. To apply only one of them would give too many rights.
        guard restriction.count <= 1 else { throw TokenService.refused("a key with more than one restriction") }
        var token = token
        var end: Timestamp?
        if let id = restriction.trustID {
            let trust = try usable(id, for: token, in: tx)
            guard trust.projectID == project else { throw TokenService.refused("a key of another project than its trust") }
            token.userID = trust.trusteeID
            token.trustID = id
            end = trust.expiresAt
        } else if let id = restriction.applicationCredentialID {
            end = try self.end("identity_application_credential", id.text, of: token.userID, on: project, in: tx)
            token.applicationCredentialID = id
        } else if let id = restriction.accessTokenID {
            end = try self.end("identity_access_token", id.text, of: token.userID, on: project, in: tx)
            token.accessTokenID = id
        }
        if let end {
            guard token.issuedAt < end else { throw TokenService.refused("what the key was made with has ended") }
            token.expiresAt = min(token.expiresAt, end)
        }
        return token
    }

    /// Returns the trust of a key. The key's user must be the one whom the trust's tokens show: the trustor if it
    /// impersonates, else the trustee. Otherwise somebody has put a foreign trust's id into a blob.
    private func usable(_ id: ID<Kind.Trust>, for token: Token, in tx: Transaction) throws -> Trust {
        guard let trust = try trusts.find(id, in: tx), try trusts.chain(from: trust, in: tx).allSatisfy({ $0.isUsable(at: token.issuedAt) })
        else { throw TokenService.refused("no such trust, or one that has ended") }
        guard (trust.impersonates ? trust.trustorID : trust.trusteeID) == token.userID else {
            throw TokenService.refused("a key of another user than its trust's")
        }
        guard try trust.remainingUses == nil || trusts.use(id, in: tx) else { throw TokenService.refused("the trust is used up") }
        return trust
    }

    private func end(
        _ table: String, _ id: String, of user: ID<Kind.User>, on project: ID<Kind.Project>, in tx: Transaction
    ) throws -> Timestamp? {
        guard let row = try tx.row("SELECT project_id, expires_at FROM \(table) WHERE id = ? AND user_id = ?", id, user) else {
            throw TokenService.refused("what the key was made with is gone")
        }
        guard try row["project_id"] == project else { throw TokenService.refused("a key of another project than what it was made with") }
        return try row["expires_at"]
    }
}
