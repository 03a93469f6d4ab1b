import CloudCore
import SQL

/// Puts on a token what the EC2 key that it is given for is restricted to.
struct RestrictionStore: Sendable {
    private let trusts = TrustStore()

    /// - Parameter token: of the credential's user on the credential's project.
    /// - Throws: `CloudError.unauthenticated` when what the key was made with is gone, or of another user or project.
    func restrict(_ token: Token, to restriction: EC2Key.Restriction, on project: ID<Kind.Project>, in tx: Transaction) throws -> Token {
        // A key of two restrictions cannot have been made here; taking either for the whole would be too much.
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

    /// The key's user is the one whom the trust's token shows: the trustor where it impersonates. Anybody else has put the
    /// trust's id into a blob themselves.
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
