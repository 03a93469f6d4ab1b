import Access
import CloudCore
import Resources
import SQL

/// Grants roles to users and groups on projects, domains and the system, and revokes them.
struct GrantService: Sendable {
    /// The actor and the target of a grant, as a path names them.
    struct Place: Sendable {
        var actor: Assignment.Actor
        var target: Assignment.Target
        var isInherited = false

        func assignment(_ role: ID<Kind.Role>) -> Assignment {
            Assignment(actor: actor, target: target, roleID: role, isInherited: isInherited)
        }
    }

    enum Verb: Sendable { case check, list, create, revoke }

    let identity: IdentityContext
    private let store = AssignmentStore()
    private let roles = ResourceStore<Role>()
    private let users = ResourceStore<User>()
    private let groups = ResourceStore<Group>()
    private let projects = ResourceStore<Project>()

    func list(_ place: Place, by caller: Principal) async throws -> [Role] {
        try await identity.base.read { tx in
            try authorise(.list, place, nil, by: caller, in: tx)
            let held = try store.of(place.actor, on: place.target, in: tx).filter { $0.isInherited == place.isInherited }
            var query = ListQuery()
            query.filter("id", in: held.map(\.roleID))
            return try roles.all(query, in: tx)
        }
    }

    /// Checks that a role was granted.
    ///
    /// - Throws: `CloudError.notFound` if it was not.
    func check(_ place: Place, _ role: ID<Kind.Role>, by caller: Principal) async throws {
        try await identity.base.read { tx in
            try authorise(.check, place, role, by: caller, in: tx)
            guard try store.exists(place.assignment(role), in: tx) else { throw Self.missing(place, role) }
        }
    }

    func create(_ place: Place, _ role: ID<Kind.Role>, by caller: Principal) async throws {
        try await identity.base.write { tx in
            try authorise(.create, place, role, by: caller, in: tx)
            try checkDomain(of: role, place, in: tx)
            try store.insert(place.assignment(role), in: tx)
        }
    }

    func revoke(_ place: Place, _ role: ID<Kind.Role>, by caller: Principal) async throws {
        try await identity.base.write { tx in
            try authorise(.revoke, place, role, by: caller, in: tx)
            guard try store.delete(place.assignment(role), in: tx) else { throw Self.missing(place, role) }
            try removeApplicationCredentials(place, role, in: tx)
        }
    }

    // MARK: Rules

    private func authorise(
        _ verb: Verb, _ place: Place, _ role: ID<Kind.Role>?, by caller: Principal, in tx: Transaction
    ) throws {
        var target = PolicyTarget()
        var missing: CloudError?
        if let role {
            if let found = try roles.find(role, in: tx) {
                target = RoleService.target(found)
            } else {
                missing = CloudError.notFound("role", role.text)
            }
        }
        switch place.actor {
        case .user(let id):
            if let user = try users.find(id, in: tx) {
                target.set("target.user.id", to: id.text)
                target.set("target.user.domain_id", to: user.domainID.text)
                target.set("user_id", to: id.text)
            } else {
                missing = CloudError.notFound("user", id.text)
            }
        case .group(let id):
            if let group = try groups.find(id, in: tx) {
                target.set("target.group.domain_id", to: group.domainID.text)
            } else {
                missing = CloudError.notFound("group", id.text)
            }
        }
        switch place.target {
        case .project(let id):
            if let project = try projects.find(id, in: tx) {
                target.set("target.project.id", to: id.text)
                if let domain = project.domainID { target.set("target.project.domain_id", to: domain.text) }
            } else {
                missing = CloudError.notFound("project", id.text)
            }
        case .domain(let id):
            if try projects.find(id.asProject, in: tx)?.isDomain == true {
                target.set("target.domain.id", to: id.text)
            } else {
                missing = CloudError.notFound("domain", id.text)
            }
        case .system: break
        }
        try identity.policy.require(action(verb, place), caller, target)
        if let missing { throw missing }
    }

    private func action(_ verb: Verb, _ place: Place) -> Action {
        switch (place.target, place.actor, verb) {
        case (.system, .user, .check): .checkSystemGrantForUser
        case (.system, .user, .list): .listSystemGrantsForUser
        case (.system, .user, .create): .createSystemGrantForUser
        case (.system, .user, .revoke): .revokeSystemGrantForUser
        case (.system, .group, .check): .checkSystemGrantForGroup
        case (.system, .group, .list): .listSystemGrantsForGroup
        case (.system, .group, .create): .createSystemGrantForGroup
        case (.system, .group, .revoke): .revokeSystemGrantForGroup
        case (_, _, .check): .checkGrant
        case (_, _, .list): .listGrants
        case (_, _, .create): .createGrant
        case (_, _, .revoke): .revokeGrant
        }
    }

    /// Checks where a domain's role may be granted: on projects of its domain, and not on the system. It may also be
    /// granted on another domain, where only the roles that it implies have an effect.
    private func checkDomain(of role: ID<Kind.Role>, _ place: Place, in tx: Transaction) throws {
        guard let domain = try roles.require(role, in: tx).domainID else { return }
        switch place.target {
        case .project(let id):
            guard try projects.require(id, in: tx).domainID == domain else {
                throw CloudError.forbidden("Role \(role) is of the domain \(domain) and cannot be given outside it.")
            }
        case .domain: return
        case .system: throw CloudError.badRequest("Role \(role) is of the domain \(domain) and cannot be given on the system.")
        }
    }

    /// Deletes the application credentials that hand on a revoked role. They do not come back if the role is granted
    /// again.
    private func removeApplicationCredentials(_ place: Place, _ role: ID<Kind.Role>, in tx: Transaction) throws {
        guard case .user(let user) = place.actor, case .project(let project) = place.target, !place.isInherited else { return }
        try ApplicationCredentialStore().deleteAll(of: user, on: project, with: role, in: tx)
    }

    private static func missing(_ place: Place, _ role: ID<Kind.Role>) -> CloudError {
        .notFound("Could not find role assignment with role: \(role), \(place.actor.kind): \(place.actor.id), \(place.target.kind): \(place.target.id).")
    }
}
