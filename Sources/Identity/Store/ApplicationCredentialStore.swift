import CloudCore
import Resources
import SQL

/// Application credentials with their roles, and the access rules that they share.
struct ApplicationCredentialStore: Sendable {
    let rows = ResourceStore<ApplicationCredential>()
    let rules = ResourceStore<AccessRule>()
    private let directory = RoleDirectory()

    /// An application credential with everything that views show of it.
    struct Whole: Sendable {
        var credential: ApplicationCredential
        var roles: [Role]
        var rules: [AccessRule]
    }

    func whole(_ credentials: [ApplicationCredential], in tx: Transaction) throws -> [Whole] {
        try credentials.map { credential in
            let roles = try tx.rows(
                "SELECT role_id FROM identity_application_credential_role WHERE application_credential_id = ?", credential.id)
            // The rules keep the order in which the caller named them.
            let order: [ID<AccessRule>] = try tx.rows(
                """
                SELECT access_rule_id FROM identity_application_credential_access_rule WHERE application_credential_id = ?
                ORDER BY number, access_rule_id
                """, credential.id
            ).map { try $0["access_rule_id"] }
            var query = ListQuery()
            query.filter("id", in: order)
            let found = Dictionary(try order.isEmpty ? [] : rules.all(query, in: tx).map { ($0.id, $0) }) { $1 }
            return Whole(
                credential: credential, roles: try directory.roles(roles.map { try $0["role_id"] }, in: tx), rules: order.compactMap { found[$0] })
        }
    }

    func insert(
        _ credential: ApplicationCredential, roles: Set<ID<Kind.Role>>, rules: [ID<AccessRule>], in tx: Transaction
    ) throws {
        try rows.insert(credential, in: tx)
        for role in roles.sorted() {
            try tx.execute(
                "INSERT INTO identity_application_credential_role (application_credential_id, role_id) VALUES (?, ?)", credential.id, role)
        }
        for (number, rule) in rules.enumerated() {
            // A rule that is named twice counts once, at its first place.
            try tx.execute(
                """
                INSERT INTO identity_application_credential_access_rule (application_credential_id, access_rule_id, number) VALUES (?, ?, ?)
                ON CONFLICT DO NOTHING
                """, credential.id, rule, number)
        }
    }

    /// Returns whether tokens of an application credential may manage others; nil if it was deleted.
    func isUnrestricted(_ id: ID<Kind.ApplicationCredential>, in tx: Transaction) throws -> Bool? {
        try tx.value("SELECT unrestricted FROM identity_application_credential WHERE id = ?", id)
    }

    func deleteAll(of user: ID<Kind.User>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM identity_application_credential WHERE user_id = ?", user)
        try tx.execute("DELETE FROM identity_access_rule WHERE user_id = ?", user)
    }

    func deleteAll(with role: ID<Kind.Role>, in tx: Transaction) throws {
        try tx.execute(
            """
            DELETE FROM identity_application_credential WHERE id IN
              (SELECT application_credential_id FROM identity_application_credential_role WHERE role_id = ?)
            """, role)
    }

    func deleteAll(of user: ID<Kind.User>, on project: ID<Kind.Project>, with role: ID<Kind.Role>, in tx: Transaction) throws {
        try tx.execute(
            """
            DELETE FROM identity_application_credential WHERE user_id = ? AND project_id = ? AND id IN
              (SELECT application_credential_id FROM identity_application_credential_role WHERE role_id = ?)
            """, user, project, role)
    }

    func count(of user: ID<Kind.User>, in tx: Transaction) throws -> Int {
        try tx.value("SELECT count(*) FROM identity_application_credential WHERE user_id = ?", user) ?? 0
    }

    // MARK: Proofs

    /// The columns of an application credential that authentication needs.
    struct Proof: Sendable {
        var id: ID<Kind.ApplicationCredential>
        var userID: ID<Kind.User>
        var projectID: ID<Kind.Project>
        var secretHash: String
        var expiresAt: Timestamp?
    }

    private static let proofs = """
        SELECT a.id, a.user_id, a.project_id, a.secret_hash, a.expires_at FROM identity_application_credential a
        """

    func proof(_ id: String, in tx: Transaction) throws -> Proof? { try tx.row("\(Self.proofs) WHERE a.id = ?", id).map(proof) }

    func proof(named name: String, of user: ID<Kind.User>, in tx: Transaction) throws -> Proof? {
        try tx.row("\(Self.proofs) WHERE a.name = ? AND a.user_id = ?", name, user).map(proof)
    }

    private func proof(_ row: Row) throws -> Proof {
        Proof(
            id: try row["id"], userID: try row["user_id"], projectID: try row["project_id"], secretHash: try row["secret_hash"],
            expiresAt: try row["expires_at"])
    }

    // MARK: Access rules

    /// Returns the id of an access rule: the one with the given id, one that allows the same request, or a new one.
    ///
    /// - Parameter newID: the id of a new rule, if the given one has none.
    /// - Throws: `CloudError.notFound` for a rule of another user, and for an unknown id without a service, a path and
    /// a method; `.forbidden` if the user has as many rules as allowed.
    func rule(_ given: AccessRule, newID: ID<AccessRule>, in tx: Transaction) throws -> ID<AccessRule> {
        if !given.id.text.isEmpty, let found = try rules.find(given.id, in: tx) {
            guard found.userID == given.userID else { throw CloudError.notFound("access rule", given.id.text) }
            return found.id
        }
        guard given.isWhole else { throw CloudError.notFound("access rule", given.id.text) }
        if let same: ID<AccessRule> = try tx.value(
            "SELECT id FROM identity_access_rule WHERE user_id = ? AND service = ? AND path = ? AND method = ?",
            given.userID, given.service, given.path, given.method)
        {
            return same
        }
        let count: Int = try tx.value("SELECT count(*) FROM identity_access_rule WHERE user_id = ?", given.userID) ?? 0
        try IdentityContext.requireRoom(count, most: Limits.owner.accessRules.most, "access rules")
        var rule = given
        if rule.id.text.isEmpty { rule.id = newID }
        try rules.insert(rule, in: tx)
        return rule.id
    }

    func isUsed(_ rule: ID<AccessRule>, in tx: Transaction) throws -> Bool {
        let user: String? = try tx.value(
            "SELECT application_credential_id FROM identity_application_credential_access_rule WHERE access_rule_id = ? LIMIT 1", rule)
        return user != nil
    }
}
