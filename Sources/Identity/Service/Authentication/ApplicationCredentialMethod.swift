import CloudCore
import HTTPKit
import Resources
import SQL

/// An application credential: some of a user's roles on one project, with a secret of its own.
struct ApplicationCredentialMethod: AuthenticationMethod {
    let identity: IdentityContext
    private let directory = UserDirectory()
    private let credentials = ApplicationCredentialStore()

    init(identity: IdentityContext) { self.identity = identity }

    func prove(_ parameters: JSONObject, _ call: Call) async throws -> Proof {
        let secret = Secret(parameters["secret"]?.string ?? "")
        let id = parameters["id"]?.string
        let name = parameters["name"]?.string
        let owner = try parameters["user"]?.object.map { try AuthRequest.reference($0, at: "auth/identity/application_credential/user") }
        guard id != nil || (name != nil && owner != nil) else {
            throw Shape.wrong("auth/identity/application_credential", "it needs an id, or a name and its user")
        }
        let found = try await identity.base.read { tx -> (credential: ApplicationCredentialStore.Proof, user: User)? in
            guard let credential = try find(id, name, of: owner, in: tx) else { return nil }
            return try ResourceStore<User>().find(credential.userID, in: tx).map { (credential, $0) }
        }
        let isRight = try await identity.hasher.verify(secret, found?.credential.secretHash)
        guard let (found, user) = found, isRight, user.isEnabled, found.expiresAt.map({ identity.world.now < $0 }) ?? true else {
            throw TokenService.refused("a wrong application credential")
        }
        var proof = Proof(user: user, .applicationCredential)
        proof.scope = .project(found.projectID)
        proof.expiresAt = found.expiresAt
        proof.applicationCredentialID = found.id
        return proof
    }

    private func find(
        _ id: String?, _ name: String?, of owner: AuthRequest.Reference?, in tx: Transaction
    ) throws -> ApplicationCredentialStore.Proof? {
        if let id { return try credentials.proof(id, in: tx) }
        guard let owner, let name, let user = try directory.find(owner, in: tx) else { return nil }
        return try credentials.proof(named: name, of: user.id, in: tx)
    }
}
