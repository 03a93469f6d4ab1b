import CloudCore
import Resources
import SQL

/// Finds users, projects and domains by the references in a body.
struct UserDirectory: Sendable {
    private let users = ResourceStore<User>()

    func find(_ reference: AuthRequest.Reference, in tx: Transaction) throws -> User? {
        if let id = reference.id { return try users.find(ID(id), in: tx) }
        guard let name = reference.name, let domain = try domain(reference.domain, in: tx) else { return nil }
        var query = ListQuery()
        query.filter("name", .equals, name)
        query.filter("domain_id", .equals, domain)
        return try users.all(query, in: tx).first
    }

    func project(_ reference: AuthRequest.Reference, in tx: Transaction) throws -> ID<Kind.Project>? {
        if let id = reference.id { return try tx.value("SELECT id FROM identity_project WHERE id = ?", id) }
        guard let name = reference.name, let domain = try domain(reference.domain, in: tx) else { return nil }
        if let found: ID<Kind.Project> = try tx.value(
            "SELECT id FROM identity_project WHERE name = ? AND domain_id = ?", name, domain)
        {
            return found
        }
        // A project that acts as a domain is found by its own name, with itself as the domain.
        return try tx.value("SELECT id FROM identity_project WHERE name = ? AND id = ? AND is_domain = 1", name, domain)
    }

    func domain(_ reference: AuthRequest.DomainReference?, in tx: Transaction) throws -> ID<Kind.Domain>? {
        if let id = reference?.id { return try tx.value("SELECT id FROM identity_project WHERE id = ? AND is_domain = 1", id) }
        guard let name = reference?.name else { return nil }
        return try tx.value("SELECT id FROM identity_project WHERE name = ? AND is_domain = 1", name)
    }
}
