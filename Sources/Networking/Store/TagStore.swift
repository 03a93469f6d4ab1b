import CloudCore
import Resources
import SQL

/// The tags of every resource that has an id.
enum TagStore {
    static let filters: Set<String> = ["tags", "tags-any", "not-tags", "not-tags-any"]

    static func load<R: NetworkingResource>(_ rows: inout [R], in tx: Transaction) throws {
        var tags: [String: [String]] = [:]
        for row in try tx.rows(among: rows.map(\.id.text), "SELECT resource_id, tag FROM networking_tag WHERE resource_id IN", "ORDER BY tag") {
            tags[try row.value(at: 0), default: []].append(try row.value(at: 1))
        }
        for at in rows.indices { rows[at].standard.tags = tags[rows[at].id.text] ?? [] }
    }

    static func set(_ tags: [String], of id: String, in tx: Transaction) throws {
        try tx.execute("DELETE FROM networking_tag WHERE resource_id = ?", id)
        for tag in Set(tags).sorted() { try tx.execute("INSERT INTO networking_tag (resource_id, tag) VALUES (?, ?)", id, tag) }
    }

    /// Returns the condition for a filter by tags; nil for another filter.
    static func condition(_ name: String, _ values: [String]) -> (sql: String, arguments: [SQLValue])? {
        guard filters.contains(name) else { return nil }
        let tags = Set(values.flatMap { $0.split(separator: ",").map(String.init) }).sorted()
        guard !tags.isEmpty else { return ("1 = 1", []) }
        let marks = tags.map { _ in "?" }.joined(separator: ", ")
        let any = "id IN (SELECT resource_id FROM networking_tag WHERE tag IN (\(marks)))"
        let all = "id IN (SELECT resource_id FROM networking_tag WHERE tag IN (\(marks)) GROUP BY resource_id HAVING count(*) = \(tags.count))"
        let sql = name.hasSuffix("-any") ? any : all
        return (name.hasPrefix("not") ? "NOT (\(sql))" : sql, tags.map(SQLValue.text))
    }
}

extension Transaction {
    /// Returns the rows of a query that ends in `IN`, for any number of values.
    func rows(
        among values: [String], _ sql: String, _ rest: String = "", before: [SQLValue] = [], also: [SQLValue] = []
    ) throws -> [Row] {
        let start = sql.dropLast(sql.hasSuffix("IN") ? 2 : 0)
        return try pieces(of: values.map(\.sql)).flatMap { list, arguments in
            try rows("\(start)\(list) \(rest)", arguments: before + arguments + also)
        }
    }
}
