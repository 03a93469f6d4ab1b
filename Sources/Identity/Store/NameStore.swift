import CloudCore
import Resources
import SQL

/// Reads the names of rows by their ids.
struct NameStore: Sendable {
    /// A name, with the domain that it belongs to.
    struct Name: Sendable {
        var name: String
        var domain: Principal.Named?
    }

    /// A table with ids, names and domains.
    enum Table: String, Sendable {
        case users = "identity_user"
        case groups = "identity_group"
        case roles = "identity_role"
        case projects = "identity_project"
    }

    /// Returns the names of the rows that exist, by id.
    func names(of ids: Set<String>, _ table: Table, in tx: Transaction) throws -> [String: Name] {
        guard !ids.isEmpty else { return [:] }
        var query = ListQuery()
        query.filter("t.id", in: ids.sorted())
        let (sql, arguments) = query.clause
        let rows = try tx.rows(
            """
            SELECT t.id, t.name, d.id AS domain_id, d.name AS domain_name FROM \(table.rawValue) t
            LEFT JOIN identity_project d ON d.id = t.domain_id WHERE \(sql)
            """, arguments: arguments)
        return Dictionary(
            uniqueKeysWithValues: try rows.map { row in
                let domain: String? = try row["domain_id"]
                return (
                    try row["id"],
                    Name(name: try row["name"], domain: try domain.map { .init(id: $0, name: try row["domain_name"]) })
                )
            })
    }
}
