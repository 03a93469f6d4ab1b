import Access
import CloudCore
import Resources
import SQL

/// The EC2 keys of users. They are credentials of type `ec2` in another view. They are created here, and found by their
/// access key.
struct EC2CredentialService: Sendable {
    let identity: IdentityContext
    private let credentials: CredentialService
    private let users = ResourceStore<User>()
    private let store = ResourceStore<Credential>()

    /// A credential with its opened blob.
    typealias Pair = (credential: Credential, key: EC2Key)

    init(identity: IdentityContext) {
        self.identity = identity
        credentials = CredentialService(identity: identity)
    }

    func list(of user: ID<Kind.User>, by caller: Principal) async throws -> [Pair] {
        try identity.policy.require(.ec2ListCredentials, caller, ["user_id": user.text])
        try CredentialService.requireUndelegated(caller)
        let found = try await identity.base.read { tx in
            _ = try users.require(user, in: tx)
            var query = ListQuery()
            query.filter("user_id", .equals, user)
            query.filter("type", .equals, Credential.ec2)
            return try store.all(query, in: tx)
        }
        var pairs: [Pair] = []
        for credential in found { pairs.append(try await open(credential)) }
        return pairs
    }

    /// Creates a pair of keys for a project.
    func create(for user: ID<Kind.User>, on project: ID<Kind.Project>, by caller: Principal) async throws -> Pair {
        let random = identity.world.random
        let key = EC2Key(access: random.hexID(), secret: Secret(Hex.text(random.bytes(16))))
        var made = Credential()
        made.id = key.id
        made.userID = user
        made.projectID = project
        made.type = Credential.ec2
        made.blob = key.blob
        let credential = try credentials.sealed(made)
        try await identity.base.write { tx in
            try identity.policy.require(.ec2CreateCredential, caller, Self.target(user))
            _ = try users.require(user, in: tx)
            _ = try ResourceStore<Project>().require(project, in: tx)
            try CredentialService.requireUndelegated(caller)
            try credentials.requireRoom(for: user, in: tx)
            try store.insert(credential, in: tx)
        }
        return (credential, key)
    }

    func get(_ access: String, of user: ID<Kind.User>, by caller: Principal) async throws -> Pair {
        try await open(identity.base.read { tx in try authorised(.ec2GetCredential, access, of: user, by: caller, in: tx) })
    }

    func delete(_ access: String, of user: ID<Kind.User>, by caller: Principal) async throws {
        try await identity.base.write { tx in
            let credential = try authorised(.ec2DeleteCredential, access, of: user, by: caller, in: tx)
            try store.delete(credential.id, in: tx)
        }
    }

    // MARK: Parts

    private static func target(_ user: ID<Kind.User>) -> PolicyTarget {
        ["user_id": user.text, "target.credential.user_id": user.text]
    }

    private func authorised(
        _ action: Action, _ access: String, of user: ID<Kind.User>, by caller: Principal, in tx: Transaction
    ) throws -> Credential {
        let found = try store.find(EC2Key.id(of: access), in: tx)
        // The target is the key's owner, not the user in the path. If there is no such key, the user in the path is the
        // target.
        try identity.policy.require(action, caller, Self.target(found?.userID ?? user))
        try CredentialService.requireUndelegated(caller)
        _ = try users.require(user, in: tx)
        guard let found, found.type == Credential.ec2, found.userID == user else {
            throw CloudError(.notFound, "EC2 access key not found.")
        }
        return found
    }

    private func open(_ credential: Credential) async throws -> Pair {
        let opened = try await credentials.open(credential)
        return (opened, try EC2Key(blob: opened.blob))
    }
}
