import CloudCore
import HTTPKit
import Resources
import SQL

/// The authentication method of application credentials, which give some of a user's roles on one project.
struct ApplicationCredentialMethod: Sendable {
    let identity: IdentityContext
    private let directory = UserDirectory()
    private let credentials = ApplicationCredentialStore()

    /// Checks the secret of an application credential. Its failures count apart from those of its user.
    ///
    /// - Parameter address: the client's address; nil if it is not known.
    func prove(_ claim: AuthRequest.CredentialSecret, from address: String?) async throws -> Proof {
        let account = FailedLogIns.Account(claim)
        try identity.logIns.check(account, from: address)
        let found = try await identity.base.read { tx -> (credential: ApplicationCredentialStore.Proof, user: User)? in
            guard let credential = try find(claim, in: tx) else { return nil }
            return try ResourceStore<User>().find(credential.userID, in: tx).map { (credential, $0) }
        }
        let isRight = try await identity.hasher.verify(claim.secret, found?.credential.secretHash)
        guard let (found, user) = found, isRight, user.isEnabled, found.expiresAt.map({ identity.world.now < $0 }) ?? true else {
            identity.logIns.noteFailure(account, from: address)
            throw TokenService.refused("a wrong application credential")
        }
        try identity.logIns.check(account, from: address)
        identity.logIns.noteSuccess(account, from: address)
        var proof = Proof(user: user, .applicationCredential)
        proof.scope = .project(found.projectID)
        proof.expiresAt = found.expiresAt
        proof.applicationCredentialID = found.id
        return proof
    }

    private func find(
        _ claim: AuthRequest.CredentialSecret, in tx: Transaction
    ) throws -> ApplicationCredentialStore.Proof? {
        if let id = claim.id { return try credentials.proof(id, in: tx) }
        guard let owner = claim.owner, let name = claim.name, let user = try directory.find(owner, in: tx) else { return nil }
        return try credentials.proof(named: name, of: user.id, in: tx)
    }
}
