import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The application credentials, with which users let their programs authenticate.
struct ApplicationCredentialService: IdentityService {
    typealias R = ApplicationCredential

    let identity: IdentityContext
    private let credentials = ApplicationCredentialStore()
    private let directory = RoleDirectory()
    private let assignments = AssignmentStore()

    func conflict(with credential: ApplicationCredential) -> CloudError {
        .conflict("An application credential named '\(credential.name)' exists already.")
    }

    typealias Whole = ApplicationCredentialStore.Whole

    // MARK: Create

    /// Creates an application credential.
    ///
    /// - Returns: the credential and its secret. The secret is never shown again.
    func create(_ body: JSONObject, for user: ID<Kind.User>, by caller: Principal) async throws -> (Whole, secret: Secret) {
        var (made, given) = try ApplicationCredential.schema.new(from: body)
        let asked = given.roles
        let rules = given.rules.map { rule in
            var rule = rule
            rule.userID = user
            return (rule, newID: ID<AccessRule>(context.world.random.hexID()))
        }
        if let end = made.expiresAt, end < context.world.now {
            throw Shape.wrong("application_credential/expires_at", "it lies in the past")
        }
        // Hashing is slow, so a caller who may not create a credential is refused before it.
        _ = try await context.read { tx in try authoriseCreate(user, caller, in: tx) }
        let secret = Secret(given.secret.flatMap { $0.isEmpty ? nil : $0 } ?? context.world.random.urlSafe(64))
        made.id = newID()
        made.userID = user
        made.secretHash = try await identity.hasher.hash(secret)
        let complete = made
        let whole = try await write(about: complete) { tx in
            var credential = complete
            credential.projectID = try authoriseCreate(user, caller, in: tx)
            try IdentityContext.requireRoom(
                credentials.count(of: user, in: tx), most: identity.settings.applicationCredentialsPerUser,
                "application credentials")
            let roles = try roles(asked, credential, caller, in: tx)
            let ruleIDs = try rules.map { try credentials.rule($0.0, newID: $0.newID, in: tx) }
            try credentials.insert(credential, roles: roles, rules: ruleIDs, in: tx)
            return try credentials.whole([credential], in: tx)[0]
        }
        return (whole, secret)
    }

    private func authoriseCreate(_ user: ID<Kind.User>, _ caller: Principal, in tx: Transaction) throws -> ID<Kind.Project> {
        try context.policy.require(.createApplicationCredential, caller, ["user_id": user.text])
        try caller.requireManagingCredentials()
        try requireUnrestricted(caller, in: tx)
        guard caller.userID == user else {
            throw CloudError.forbidden("Cannot create an application credential for another user.")
        }
        guard let project = caller.projectID else {
            throw CloudError.forbidden("An application credential is made with a project-scoped token, for that project.")
        }
        return project
    }

    /// Returns the roles that the body asks for, with all that they imply; the token's roles if it asks for none.
    ///
    /// - Throws: `CloudError.badRequest` for a role that the token or its user does not have. So a delegation cannot
    /// hand on more than it has.
    private func roles(
        _ asked: [RoleReference], _ credential: ApplicationCredential, _ caller: Principal, in tx: Transaction
    ) throws -> Set<ID<Kind.Role>> {
        let own = Set(caller.roles.map { ID<Kind.Role>($0.id) })
        let wanted = asked.isEmpty ? own : try assignments.implied(by: try directory.ids(of: asked, in: tx), in: tx)
        let held = try assignments.effectiveRoleIDs(of: credential.userID, on: .project(credential.projectID), in: tx)
        guard wanted.isSubset(of: own), wanted.isSubset(of: held) else {
            throw CloudError.badRequest("Invalid application credential: Cannot create an application credential with unassigned role")
        }
        return wanted
    }

    /// Throws `CloudError.forbidden` for a token of an application credential that may not manage others.
    private func requireUnrestricted(_ caller: Principal, in tx: Transaction) throws {
        guard let id = caller.applicationCredentialID else { return }
        guard try credentials.isUnrestricted(id, in: tx) == true else {
            throw CloudError.forbidden(
                "Using method 'application_credential' is not allowed for managing additional application credentials.")
        }
    }

    // MARK: Read and delete

    func list(of user: ID<Kind.User>, _ query: Query, by caller: Principal) async throws -> (rows: [Whole], hasMore: Bool) {
        try context.policy.require(.listApplicationCredentials, caller, ["user_id": user.text])
        try caller.requireManagingCredentials()
        var asked = try ApplicationCredential.schema.query(from: query)
        asked.filter("user_id", .equals, user)
        let list = asked
        return try await context.read { tx in
            let page = try store.page(list, in: tx)
            return (try credentials.whole(page.rows, in: tx), page.hasMore)
        }
    }

    func get(_ id: ID<Kind.ApplicationCredential>, of user: ID<Kind.User>, by caller: Principal) async throws -> Whole {
        try await context.read { tx in
            let found = try authorised(.getApplicationCredential, id, user, by: caller, in: tx)
            return try credentials.whole([found], in: tx)[0]
        }
    }

    func delete(_ id: ID<Kind.ApplicationCredential>, of user: ID<Kind.User>, by caller: Principal) async throws {
        try await context.write { tx in
            _ = try authorised(.deleteApplicationCredential, id, user, by: caller, in: tx)
            try requireUnrestricted(caller, in: tx)
            try store.delete(id, in: tx)
        }
    }

    /// Returns the application credential, if the caller may do this to it. The policy is asked about the credential's
    /// own user, because the user in the path is only the caller's claim.
    private func authorised(
        _ action: Action, _ id: ID<Kind.ApplicationCredential>, _ user: ID<Kind.User>, by caller: Principal, in tx: Transaction
    ) throws -> ApplicationCredential {
        let found = try store.find(id, in: tx)
        try context.policy.require(action, caller, ["user_id": (found?.userID ?? user).text])
        try caller.requireManagingCredentials()
        guard let found else { throw CloudError.notFound("application credential", id.text) }
        return found
    }
}
