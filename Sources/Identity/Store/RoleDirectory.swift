import CloudCore
import Resources
import SQL

/// Finds roles by the references in a body.
struct RoleDirectory: Sendable {
    private let roles = ResourceStore<Role>()

    /// Returns the ids of the referenced roles. An id is not looked up: callers compare it with roles that a user has.
    ///
    /// - Throws: `CloudError.notFound` for a name that no role has; `.badRequest` for a name that roles of several
    /// domains have.
    func ids(of references: [RoleReference], in tx: Transaction) throws -> Set<ID<Kind.Role>> {
        Set(
            try references.map { reference in
                switch reference {
                case .id(let id): return id
                case .name(let name):
                    let found = try tx.rows("SELECT id FROM identity_role WHERE name = ?", name)
                    guard let first = found.first else { throw CloudError.notFound("role", name) }
                    guard found.count == 1 else {
                        throw CloudError.badRequest("More than one role is named '\(name)'; say its id instead.")
                    }
                    return try first["id"]
                }
            })
    }

    /// Returns the ids of the roles that belong to a domain.
    func domainRoles(in tx: Transaction) throws -> Set<ID<Kind.Role>> {
        Set(try tx.rows("SELECT id FROM identity_role WHERE domain_id IS NOT NULL").map { try $0["id"] })
    }

    /// Returns the roles with these ids that still exist.
    func roles(_ ids: some Collection<ID<Kind.Role>>, in tx: Transaction) throws -> [Role] {
        var query = ListQuery()
        query.filter("id", in: ids.sorted())
        return try roles.all(query, in: tx)
    }
}
