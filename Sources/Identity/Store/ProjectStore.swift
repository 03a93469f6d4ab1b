import CloudCore
import SQL

/// Queries about projects and domains that need no whole row. A domain is a project that acts as one.
struct ProjectStore: Sendable {
    /// Returns whether a project acts as a domain; nil if there is no such project.
    func isDomain(_ id: ID<Kind.Project>, in tx: Transaction) throws -> Bool? {
        try tx.value("SELECT is_domain FROM identity_project WHERE id = ?", id)
    }

    func hasDomain(_ id: ID<Kind.Domain>, in tx: Transaction) throws -> Bool {
        try tx.value("SELECT id FROM identity_project WHERE id = ? AND is_domain = 1", id) as String? != nil
    }

    func name(of domain: ID<Kind.Domain>, in tx: Transaction) throws -> String? {
        try tx.value("SELECT name FROM identity_project WHERE id = ?", domain)
    }
}

extension Transaction {
    /// Throws `CloudError.notFound` if there is no such domain.
    func requireDomain(_ id: ID<Kind.Domain>) throws {
        guard try ProjectStore().hasDomain(id, in: self) else { throw CloudError.notFound("domain", id.text) }
    }
}
