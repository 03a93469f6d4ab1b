import CloudCore
import SQL

/// Questions about limits that need no whole row.
struct LimitStore: Sendable {
    /// Tells whether some limit stands on a registered one.
    func uses(_ limit: ID<RegisteredLimit>, in tx: Transaction) throws -> Bool {
        try tx.value("SELECT id FROM identity_limit WHERE registered_limit_id = ? LIMIT 1", limit) as String? != nil
    }

    // MARK: Conditions of lists

    /// Returns the condition that a list has the limits of a domain's projects alone.
    static func ofProjects(in domain: ID<Kind.Domain>) -> (sql: String, arguments: [SQLValue]) {
        ("project_id IN (SELECT id FROM identity_project WHERE domain_id = ?)", [domain.sql])
    }

    /// Returns the condition that a list has the limits of a domain and of its projects alone.
    static func ofAll(in domain: ID<Kind.Domain>) -> (sql: String, arguments: [SQLValue]) {
        (
            "domain_id = ? OR project_id IN (SELECT id FROM identity_project WHERE domain_id = ?)",
            [domain.sql, domain.sql]
        )
    }
}
