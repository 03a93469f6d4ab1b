import CloudCore
import SQL

/// Queries about limits that need no whole row.
struct LimitStore: Sendable {
    /// Tells whether any limit overrides a registered one.
    func uses(_ limit: ID<RegisteredLimit>, in tx: Transaction) throws -> Bool {
        try tx.value("SELECT id FROM identity_limit WHERE registered_limit_id = ? LIMIT 1", limit) as String? != nil
    }

    // MARK: Conditions of lists

    /// Returns the condition for the limits of a domain's projects.
    static func ofProjects(in domain: ID<Kind.Domain>) -> (sql: String, arguments: [SQLValue]) {
        ("project_id IN (SELECT id FROM identity_project WHERE domain_id = ?)", [domain.sql])
    }

    /// Returns the condition for the limits of a domain and of its projects.
    static func ofAll(in domain: ID<Kind.Domain>) -> (sql: String, arguments: [SQLValue]) {
        (
            "domain_id = ? OR project_id IN (SELECT id FROM identity_project WHERE domain_id = ?)",
            [domain.sql, domain.sql]
        )
    }
}
