import CloudCore
import SQL

/// The rules by which one role implies another.
struct ImpliedRoleStore: Sendable {
    struct Rule: Sendable {
        var prior: ID<Kind.Role>
        var implied: ID<Kind.Role>
    }

    func all(in tx: Transaction) throws -> [Rule] {
        try tx.rows("SELECT prior_role_id, implied_role_id FROM identity_implied_role")
            .map { Rule(prior: try $0["prior_role_id"], implied: try $0["implied_role_id"]) }
    }

    func insert(_ rule: Rule, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO identity_implied_role (prior_role_id, implied_role_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
            rule.prior, rule.implied)
    }

    /// Deletes a rule, and returns whether there was one.
    func delete(_ rule: Rule, in tx: Transaction) throws -> Bool {
        try tx.execute(
            "DELETE FROM identity_implied_role WHERE prior_role_id = ? AND implied_role_id = ?",
            rule.prior, rule.implied) > 0
    }

    /// Returns the condition for the roles that a role implies directly.
    static func roles(impliedBy prior: ID<Kind.Role>) -> (sql: String, arguments: [SQLValue]) {
        ("id IN (SELECT implied_role_id FROM identity_implied_role WHERE prior_role_id = ?)", [prior.sql])
    }
}
