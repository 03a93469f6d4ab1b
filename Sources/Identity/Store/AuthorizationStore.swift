import CloudCore
import SQL

/// Reads the rights that a token gives at this moment. It takes one transaction with about ten small queries. Nothing
/// is cached here: `TokenService` caches the result until Identity changes.
struct AuthorizationStore: Sendable {
    private let assignments = AssignmentStore()
    private let revocations = RevocationStore()
    private let catalogs = CatalogStore()
    private let trusts = TrustStore()

    /// The reason why a token gives no rights. A caller gets a plain 401, except when a trust's token is issued: then a
    /// missing role or a disabled trustor is named.
    enum Refusal: Error, Sendable {
        case revoked
        case userGone, userDisabled
        case projectGone, projectDisabled
        case domainGone, domainDisabled
        case noRoles
        case trustGone, trustorDisabled, delegationGone
    }

    /// Returns the rights of a token.
    ///
    /// - Throws: `Refusal` if it gives none.
    func authorization(of token: Token, in tx: Transaction) throws -> Authorization {
        if try revocations.concerning(token, in: tx).contains(where: { $0.covers(token) }) { throw Refusal.revoked }
        let holder = try user(token.userID, in: tx)
        var access = Authorization(
            token: token,
            principal: Principal(
                userID: token.userID, userName: holder.name, userDomain: holder.domain, scope: .unscoped, roles: [],
                auditIDs: token.auditIDs, expiresAt: token.expiresAt),
            passwordExpiresAt: holder.passwordExpiresAt)
        access.principal.isFromSignature = token.methods.contains(.ec2)
        try scope(&access, in: tx)
        if token.trustID != nil {
            try delegateByTrust(&access, in: tx)
        } else if token.applicationCredentialID != nil {
            try delegateByApplicationCredential(&access, in: tx)
        } else if token.accessTokenID != nil {
            try delegateByAccessToken(&access, in: tx)
        } else if token.scope != .unscoped {
            access.principal.roles = try roles(of: token.userID, token.scope, in: tx)
        }
        if token.scope != .unscoped {
            guard !access.principal.roles.isEmpty else { throw Refusal.noRoles }
            access.catalog = try catalogs.catalog(of: access.principal.projectID, in: tx)
        }
        return access
    }

    // MARK: Users

    private struct Holder {
        var name: String
        var domain: Principal.Named
        var passwordExpiresAt: Timestamp?
    }

    private func user(_ id: ID<Kind.User>, in tx: Transaction) throws -> Holder {
        guard
            let row = try tx.row(
                """
                SELECT u.name, u.enabled, u.password_expires_at, d.id AS domain_id, d.name AS domain_name, d.enabled AS domain_enabled
                FROM identity_user u JOIN identity_project d ON d.id = u.domain_id WHERE u.id = ?
                """, id)
        else { throw Refusal.userGone }
        guard try row["enabled"] else { throw Refusal.userDisabled }
        guard try row["domain_enabled"] else { throw Refusal.domainDisabled }
        return Holder(
            name: try row["name"], domain: .init(id: try row["domain_id"], name: try row["domain_name"]),
            passwordExpiresAt: try row["password_expires_at"])
    }

    // MARK: Scopes

    private func scope(_ access: inout Authorization, in tx: Transaction) throws {
        switch access.token.scope {
        case .unscoped: return
        case .system: access.principal.scope = .system
        case .domain(let id):
            guard let row = try tx.row("SELECT name, enabled FROM identity_project WHERE id = ? AND is_domain = 1", id) else {
                throw Refusal.domainGone
            }
            guard try row["enabled"] else { throw Refusal.domainDisabled }
            access.principal.scope = .domain(.init(id: id.text, name: try row["name"]))
        case .project(let id):
            // A project that acts as a domain has no domain, so the token shows it as its own domain.
            guard
                let row = try tx.row(
                    """
                    SELECT p.name, p.enabled, p.is_domain, d.id AS domain_id, d.name AS domain_name, d.enabled AS domain_enabled
                    FROM identity_project p JOIN identity_project d ON d.id = coalesce(p.domain_id, p.id) WHERE p.id = ?
                    """, id)
            else { throw Refusal.projectGone }
            guard try row["enabled"] else { throw Refusal.projectDisabled }
            guard try row["domain_enabled"] else { throw Refusal.domainDisabled }
            access.isDomainProject = try row["is_domain"]
            access.principal.scope = .project(
                id: id, name: try row["name"], domain: .init(id: try row["domain_id"], name: try row["domain_name"]))
        }
    }

    func roles(of user: ID<Kind.User>, _ scope: Token.Scope, in tx: Transaction) throws -> [Principal.Named] {
        switch scope {
        case .unscoped: []
        case .project(let id): try assignments.effectiveRoles(of: user, on: .project(id), in: tx)
        case .domain(let id): try assignments.effectiveRoles(of: user, on: .domain(id), in: tx)
        case .system: try assignments.effectiveRoles(of: user, on: .system, in: tx)
        }
    }

    // MARK: Delegation

    /// Fills in a trust: the trustee acts with roles of the trustor, under the trustor's name if the trust
    /// impersonates.
    ///
    /// The trust gives all of its roles or none. Every trustor in its chain must be enabled and have all of the roles
    /// now.
    private func delegateByTrust(_ access: inout Authorization, in tx: Transaction) throws {
        guard let id = access.token.trustID, let trust = try trusts.find(id, in: tx), trust.trusteeID == access.token.userID,
            access.token.scope == trust.projectID.map({ .project($0) }) ?? .unscoped
        else { throw Refusal.trustGone }
        let chain = try trusts.chain(from: trust, in: tx)
        let roles = try assignments.implied(by: trust.roleIDs, in: tx)
        for link in chain {
            try checkTrustor(link.trustorID, roles, access.token, in: tx)
            if link.id != id { _ = try agent(link.trusteeID, in: tx) }
        }
        access.principal.roles = try assignments.named(roles, in: tx)
        access.trust = .init(id: id, trustorID: trust.trustorID, trusteeID: trust.trusteeID, impersonates: trust.impersonates)
        access.principal.trust = .init(id: id, trustorID: trust.trustorID, trusteeID: trust.trusteeID)
        if trust.impersonates {
            let trustor = try agent(trust.trustorID, in: tx)
            access.principal.userID = trust.trustorID
            access.principal.userName = trustor.name
            access.principal.userDomain = trustor.domain
            access.passwordExpiresAt = trustor.passwordExpiresAt
        }
    }

    private func checkTrustor(_ trustor: ID<Kind.User>, _ roles: Set<ID<Kind.Role>>, _ token: Token, in tx: Transaction) throws {
        _ = try agent(trustor, in: tx)
        // An event that ends the trustor's own tokens, such as a new password, also ends the tokens of the trust.
        var own = token
        own.userID = trustor
        if try revocations.concerning(own, in: tx).contains(where: { $0.covers(own) }) { throw Refusal.revoked }
        guard case .project(let project) = token.scope, !roles.isEmpty,
            roles.isSubset(of: try assignments.effectiveRoleIDs(of: trustor, on: .project(project), in: tx))
        else { throw Refusal.noRoles }
    }

    /// Returns a user in the chain of a trust.
    ///
    /// - Throws: `Refusal.trustorDisabled` if the user is gone or disabled.
    private func agent(_ id: ID<Kind.User>, in tx: Transaction) throws -> Holder {
        do { return try user(id, in: tx) } catch is Refusal { throw Refusal.trustorDisabled }
    }

    /// Fills in an application credential: the roles of it that its user still has. Roles that they implied when it was
    /// created are among them. Roles that they imply only since then are not.
    private func delegateByApplicationCredential(_ access: inout Authorization, in tx: Transaction) throws {
        guard let id = access.token.applicationCredentialID,
            let row = try tx.row(
                "SELECT name, project_id, unrestricted FROM identity_application_credential WHERE id = ? AND user_id = ?",
                id, access.token.userID),
            access.token.scope == .project(try row["project_id"])
        else { throw Refusal.delegationGone }
        let roles: [ID<Kind.Role>] = try tx.rows(
            "SELECT role_id FROM identity_application_credential_role WHERE application_credential_id = ?", id
        ).map { try $0["role_id"] }
        access.principal.roles = try stillHeld(Set(roles), access.token, in: tx)
        access.principal.applicationCredentialID = id
        access.applicationCredential = .init(id: id, name: try row["name"], isRestricted: !(try row["unrestricted"] as Bool))
        let rules = try tx.rows(
            """
            SELECT r.id, r.service, r.path, r.method FROM identity_access_rule r
            JOIN identity_application_credential_access_rule a ON a.access_rule_id = r.id
            WHERE a.application_credential_id = ? ORDER BY a.number, r.id
            """, id
        ).map { Principal.AccessRule(id: try $0["id"], service: try $0["service"], method: try $0["method"], path: try $0["path"]) }
        if !rules.isEmpty { access.principal.accessRules = rules }
    }

    /// Fills in an OAuth1 access token: the roles of it, and those that they imply, that its user still has.
    private func delegateByAccessToken(_ access: inout Authorization, in tx: Transaction) throws {
        guard let id = access.token.accessTokenID,
            let row = try tx.row(
                "SELECT consumer_id, project_id, role_ids FROM identity_access_token WHERE id = ? AND user_id = ?",
                id, access.token.userID),
            access.token.scope == .project(try row["project_id"])
        else { throw Refusal.delegationGone }
        let roles = (try row["role_ids"] as JSON).array?.compactMap(\.string).map { ID<Kind.Role>($0) } ?? []
        access.principal.roles = try stillHeld(try assignments.implied(by: Set(roles), in: tx), access.token, in: tx)
        access.principal.accessTokenID = id.text
        access.accessToken = .init(id: id, consumerID: try row["consumer_id"])
    }

    private func stillHeld(_ roles: Set<ID<Kind.Role>>, _ token: Token, in tx: Transaction) throws -> [Principal.Named] {
        try self.roles(of: token.userID, token.scope, in: tx).filter { roles.contains(ID($0.id)) }
    }
}
