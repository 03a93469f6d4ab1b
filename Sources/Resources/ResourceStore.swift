package import CloudCore
package import SQL

/// The texts of the SQL statements for a table, built once.
struct TableStatements: Sendable {
    /// The names of the columns that are read.
    let columns: String
    let insert: String
    /// The placeholders for the values of one row: `(?, ?)`.
    let placeholders: String
    let update: String

    init(_ table: String, columns names: [String]) {
        columns = names.joined(separator: ", ")
        placeholders = "(\(names.map { _ in "?" }.joined(separator: ", ")))"
        insert = "INSERT INTO \(table) (\(columns)) VALUES \(placeholders)"
        update = "UPDATE \(table) SET \(names.map { "\($0) = ?" }.joined(separator: ", ")) WHERE id = ?"
    }
}

/// The stored rows of a resource. It runs the SQL that the schema implies, and nothing else.
package struct ResourceStore<R: Resource>: Sendable {
    private let schema = R.schema

    package init() {}

    package func find(_ id: ID<R.Noun>, in tx: Transaction) throws -> R? {
        try tx.rows("SELECT \(schema.statements.columns) FROM \(schema.table) WHERE id = ?", id).first.map(resource)
    }

    /// Returns the row with an id.
    ///
    /// - Throws: `CloudError.notFound` if there is no such row.
    package func require(_ id: ID<R.Noun>, in tx: Transaction) throws -> R {
        guard let found = try find(id, in: tx) else { throw CloudError.notFound(schema.singular.replacing("_", with: " "), id.text) }
        return found
    }

    package func insert(_ resource: R, in tx: Transaction) throws {
        try tx.execute(schema.statements.insert, arguments: values(resource))
    }

    /// Inserts many resources with few statements.
    package func insert(_ resources: [R], in tx: Transaction) throws {
        var rest = resources[...]
        while !rest.isEmpty {
            let some = rest.prefix(Self.mostInStatement)
            rest = rest.dropFirst(some.count)
            let more = String(repeating: ", \(schema.statements.placeholders)", count: some.count - 1)
            try tx.execute(schema.statements.insert + more, arguments: some.flatMap(values))
        }
    }

    /// The most rows of one `INSERT`. Databases limit the arguments of a statement, and few different statements are
    /// cheaper to prepare than many.
    private static var mostInStatement: Int { 32 }  // tidy: allow bound, of a statement

    package func update(_ resource: R, in tx: Transaction) throws {
        try tx.execute(schema.statements.update, arguments: values(resource) + [resource.id.sql])
    }

    @discardableResult
    package func delete(_ id: ID<R.Noun>, in tx: Transaction) throws -> Bool {
        try tx.execute("DELETE FROM \(schema.table) WHERE id = ?", id) > 0
    }

    package func all(_ query: ListQuery = ListQuery(), in tx: Transaction) throws -> [R] { try page(query, in: tx).rows }

    /// Returns a page for a caller who may see all of it.
    package func shown(_ query: ListQuery, in tx: Transaction) throws -> Shown<R> {
        let page = try self.page(query, in: tx)
        var shown = Shown(rows: page.rows)
        shown.hasMore = page.hasMore
        return shown
    }

    /// Returns a page, and whether more rows follow it.
    ///
    /// A page begins after the sort key of the marker's row. Rows are not counted, so the last page costs as much as
    /// the first.
    ///
    /// - Throws: `CloudError.badRequest` if no row has the marker's id.
    package func page(_ query: ListQuery, in tx: Transaction) throws -> (rows: [R], hasMore: Bool) {
        var (sql, arguments) = query.clause
        let order = try Keyset.distinct(query.sort + [(column: "id", ascending: true)])
            .map { (column: $0.column, ascending: $0.ascending != query.isReversed) }
        if let marker = query.marker {
            guard let row = try tx.row("SELECT \(order.map(\.column).joined(separator: ", ")) FROM \(schema.table) WHERE id = ?", marker)
            else { throw CloudError.badRequest("Marker could not be found.") }
            let (after, values) = Keyset.after(order, row.values)
            sql += " AND (\(after))"
            arguments += values
        }
        var text = "SELECT \(schema.statements.columns) FROM \(schema.table) WHERE \(sql) \(Keyset.ordering(order))"
        if let limit = query.limit {
            text += " LIMIT ?"
            arguments.append(.integer(Int64(limit + 1)))
        }
        var rows = try tx.rows(text, arguments: arguments).map(resource)
        let hasMore = query.limit.map { rows.count > $0 } ?? false
        if hasMore { rows.removeLast() }
        if query.isReversed { rows.reverse() }
        return (rows, hasMore)
    }

    // MARK: Mapping

    private func values(_ resource: R) -> [SQLValue] {
        schema.stored.map { $0.sql(resource) } + (schema.isOpen ? [resource.extra.sql] : [])
    }

    private func resource(_ row: Row) throws -> R {
        var resource = R()
        if let wrong = withUnsafeMutablePointer(to: &resource, { StoredColumn.put(row.values, schema.columns, into: $0) }) {
            throw SQLError.misuse("\(schema.table).\(wrong) does not hold what its field says")
        }
        if schema.isOpen { resource.extra = try row.value(at: schema.stored.count) }
        return resource
    }
}
