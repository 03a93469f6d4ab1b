import CloudCore
import Resources
import SQL

/// Finds roles by what a body calls them.
struct RoleDirectory: Sendable {
    private let roles = ResourceStore<Role>()

    /// The ids of what is referred to. An id is taken as it is: whoever asks goes on to compare it with roles that are held.
    ///
    /// - Throws: `CloudError.notFound` for a name that no role has, `.badRequest` for one that several have, each in another
    ///   domain.
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

    /// The roles that are still there, by id.
    func roles(_ ids: some Collection<ID<Kind.Role>>, in tx: Transaction) throws -> [Role] {
        var query = ListQuery()
        query.filter("id", in: ids.sorted())
        return try roles.all(query, in: tx)
    }
}
