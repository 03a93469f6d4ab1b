import Access
import CloudCore
import Resources
import SQL

/// The scopes for which a user can get a token.
struct ScopeService: Sendable {
    let identity: IdentityContext
    private let assignments = AssignmentStore()
    private let catalogs = CatalogStore()

    /// Returns the catalog of the project in scope.
    ///
    /// - Throws: `CloudError.forbidden` without a project in scope.
    func catalog(for caller: Principal) async throws -> [CatalogStore.Entry] {
        try identity.policy.require(.getAuthCatalog, caller)
        guard let project = caller.projectID else {
            throw CloudError.forbidden("A project-scoped token is required to produce a service catalog.")
        }
        return try await identity.base.read { tx in try catalogs.catalog(of: project, in: tx) }
    }

    /// Returns the enabled projects on which the caller has a role, granted or inherited.
    func projects(for caller: Principal) async throws -> [Project] {
        try identity.policy.require(.getAuthProjects, caller)
        return try await identity.base.read { tx in try projects(of: caller.userID, in: tx).filter(\.isEnabled) }
    }

    func domains(for caller: Principal) async throws -> [Domain] {
        try identity.policy.require(.getAuthDomains, caller)
        return try await identity.base.read { tx in
            let held = try assignments.held(by: caller.userID, in: tx).filter { !$0.isInherited && $0.target.kind == "domain" }
            var query = ListQuery()
            query.filter("id", in: Array(Set(held.map(\.target.id))).sorted())
            query.filter("is_domain", .equals, true)
            query.filter("enabled", .equals, true)
            return try ResourceStore<Domain>().all(query, in: tx)
        }
    }

    func hasSystem(_ caller: Principal) async throws -> Bool {
        try identity.policy.require(.getAuthSystem, caller)
        return try await identity.base.read { tx in
            try assignments.held(by: caller.userID, in: tx).contains { $0.target == .system && !$0.isInherited }
        }
    }

    /// Returns all projects on which a user has a role: those with a grant, and those below an inherited grant.
    func projects(of user: ID<Kind.User>, in tx: Transaction) throws -> [Project] {
        let held = try assignments.held(by: user, in: tx)
        let direct = held.filter { !$0.isInherited && $0.target.kind == "project" }.map(\.target.id)
        let above = held.filter { $0.isInherited && $0.target != .system }.map(\.target.id)
        var ids = Set(direct)
        for root in Set(above) { ids.formUnion(try ProjectTree().below(ID(root), in: tx).map(\.text)) }
        var query = ListQuery()
        query.filter("id", in: ids.sorted())
        return try ResourceStore<Project>().all(query, in: tx)
    }
}
