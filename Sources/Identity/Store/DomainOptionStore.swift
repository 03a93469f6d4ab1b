import CloudCore
import SQL

/// The configurations of domains. Secret options are sealed.
struct DomainOptionStore: Sendable {
    /// An option as it is stored.
    struct Stored: Sendable {
        var group: String
        var name: String
        /// The value; nil for a secret option.
        var value: JSON?
        var sealed: [UInt8]?
        var keyID: String?
    }

    /// A part of a configuration: all groups, one group, or one option.
    struct Part: Sendable {
        var group: String?
        var name: String?
    }

    private func clause(_ domain: ID<Kind.Domain>, _ part: Part) -> (sql: String, arguments: [SQLValue]) {
        var sql = "domain_id = ?"
        var arguments = [domain.sql]
        if let group = part.group {
            sql += " AND group_name = ?"
            arguments.append(.text(group))
        }
        if let name = part.name {
            sql += " AND name = ?"
            arguments.append(.text(name))
        }
        return (sql, arguments)
    }

    /// Returns the options that may be shown.
    func shown(_ domain: ID<Kind.Domain>, _ part: Part = Part(), in tx: Transaction) throws -> [DomainOption.Setting] {
        let (sql, arguments) = clause(domain, part)
        return try tx.rows(
            "SELECT group_name, name, value FROM identity_domain_option WHERE \(sql) AND value IS NOT NULL ORDER BY group_name, name",
            arguments: arguments
        ).map { DomainOption.Setting(group: try $0["group_name"], name: try $0["name"], value: try $0["value"]) }
    }

    /// Tells whether any option is set, including secret ones.
    func exists(_ domain: ID<Kind.Domain>, _ part: Part = Part(), in tx: Transaction) throws -> Bool {
        let (sql, arguments) = clause(domain, part)
        return try !tx.rows("SELECT name FROM identity_domain_option WHERE \(sql) LIMIT 1", arguments: arguments).isEmpty
    }

    func set(_ options: [Stored], _ domain: ID<Kind.Domain>, in tx: Transaction) throws {
        for option in options {
            try delete(domain, Part(group: option.group, name: option.name), in: tx)
            try tx.execute(
                """
                INSERT INTO identity_domain_option (domain_id, group_name, name, value, sealed_value, key_id) VALUES (?, ?, ?, ?, ?, ?)
                """, domain, option.group, option.name, option.value, option.sealed, option.keyID)
        }
    }

    func delete(_ domain: ID<Kind.Domain>, _ part: Part = Part(), in tx: Transaction) throws {
        let (sql, arguments) = clause(domain, part)
        try tx.execute("DELETE FROM identity_domain_option WHERE \(sql)", arguments: arguments)
    }
}
