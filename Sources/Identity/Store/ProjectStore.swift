import CloudCore
import SQL

/// Questions about a project or a domain that need no whole row. A domain is a project that acts as one.
struct ProjectStore: Sendable {
    /// Returns nil for a project that is not there.
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
    /// - Throws: `CloudError.notFound` unless there is such a domain.
    func requireDomain(_ id: ID<Kind.Domain>) throws {
        guard try ProjectStore().hasDomain(id, in: self) else { throw CloudError.notFound("domain", id.text) }
    }
}
