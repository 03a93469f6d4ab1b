import CloudCore
package import HTTPKit
package import SQL

/// A query for rows of a table: the conditions, the order and the number of rows.
package struct ListQuery: Sendable {
    package enum Comparison: Sendable {
        case equals, notEquals, less, lessOrEqual, greater, greaterOrEqual
        case contains, startsWith, endsWith
        case equalsIgnoringCase, containsIgnoringCase, startsWithIgnoringCase, endsWithIgnoringCase
        case isIn([SQLValue])
    }

    package struct Condition: Sendable {
        var column: String
        var comparison: Comparison
        var value: SQLValue
    }

    package var conditions: [Condition] = []
    /// Conditions that a service writes itself: SQL over the table's columns, and the values for its `?` placeholders.
    package var raw: [(sql: String, arguments: [SQLValue])] = []
    /// The sort keys: SQL expressions that are never NULL, each ascending or descending. The id is always added, so
    /// that the order is total.
    package var sort: [(column: String, ascending: Bool)] = []
    /// The id of the last row that the caller already has.
    package var marker: String?
    package var limit: Int?
    /// Whether the page is the one before the marker. Its rows still come in the requested order.
    package var isReversed = false

    package init() {}

    package mutating func filter(_ column: String, _ comparison: Comparison = .equals, _ value: some SQLConvertible) {
        conditions.append(Condition(column: column, comparison: comparison, value: value.sql))
    }

    package mutating func filter(_ column: String, in values: [some SQLConvertible]) {
        conditions.append(Condition(column: column, comparison: .isIn(values.map { $0.sql }), value: .null))
    }

    package mutating func filter(_ column: String, sql values: [SQLValue]) {
        conditions.append(Condition(column: column, comparison: .isIn(values), value: .null))
    }

    /// The conditions as SQL for a `WHERE` clause, and their arguments.
    package var clause: (sql: String, arguments: [SQLValue]) {
        var parts: [String] = []
        var arguments: [SQLValue] = []
        for condition in conditions {
            let (sql, values) = condition.sql
            parts.append(sql)
            arguments += values
        }
        for condition in raw {
            parts.append("(\(condition.sql))")
            arguments += condition.arguments
        }
        return (parts.isEmpty ? "1 = 1" : parts.joined(separator: " AND "), arguments)
    }
}

extension ListQuery.Condition {
    /// The condition as SQL. It uses text functions that mean the same on both databases, because `LIKE` treats case
    /// differently on each. To ignore case, the database lowers both sides: SQLite lowers only ASCII, and this way a
    /// text always matches at least itself.
    var sql: (String, [SQLValue]) {
        let lower = "lower(\(column))"
        switch comparison {
        case .equals: return value == .null ? ("\(column) IS NULL", []) : ("\(column) = ?", [value])
        case .notEquals: return value == .null ? ("\(column) IS NOT NULL", []) : ("\(column) <> ?", [value])
        case .less: return ("\(column) < ?", [value])
        case .lessOrEqual: return ("\(column) <= ?", [value])
        case .greater: return ("\(column) > ?", [value])
        case .greaterOrEqual: return ("\(column) >= ?", [value])
        case .equalsIgnoringCase: return ("\(lower) = lower(?)", [value])
        case .contains: return Self.contains(column, "?", value)
        case .containsIgnoringCase: return Self.contains(lower, "lower(?)", value)
        case .startsWith: return Self.starts(column, "?", value)
        case .startsWithIgnoringCase: return Self.starts(lower, "lower(?)", value)
        case .endsWith: return Self.ends(column, "?", value)
        case .endsWithIgnoringCase: return Self.ends(lower, "lower(?)", value)
        case .isIn(let values):
            if values.isEmpty { return ("1 = 0", []) }
            return ("\(column) IN (\(values.map { _ in "?" }.joined(separator: ", ")))", values)
        }
    }

    private static func contains(_ text: String, _ part: String, _ value: SQLValue) -> (String, [SQLValue]) {
        // Every text contains the empty text, but NULL does not.
        value == .text("") ? ("\(text) IS NOT NULL", []) : ("replace(\(text), \(part), '') <> \(text)", [value])
    }

    private static func starts(_ text: String, _ part: String, _ value: SQLValue) -> (String, [SQLValue]) {
        ("substr(\(text), 1, length(\(part))) = \(part)", [value, value])
    }

    private static func ends(_ text: String, _ part: String, _ value: SQLValue) -> (String, [SQLValue]) {
        ("substr(\(text), length(\(text)) - length(\(part)) + 1) = \(part)", [value, value])
    }
}

extension ResourceSchema {
    private static var comparisons: [String: ListQuery.Comparison] {
        [
            "contains": .contains, "icontains": .containsIgnoringCase, "startswith": .startsWith,
            "istartswith": .startsWithIgnoringCase, "endswith": .endsWith, "iendswith": .endsWithIgnoringCase,
            "iequals": .equalsIgnoringCase,
        ]
    }

    /// Returns the list query that a URL asks for. Names that are not filters are ignored, as in the reference.
    ///
    /// - Throws: `CloudError.badRequest` for an invalid limit, sort direction or sort key.
    package func query(from query: Query) throws -> ListQuery {
        var list = ListQuery()
        for field in fields where field.filter != .none { ShapeTrace.note(.query(field.name, field.shape)) }
        for (name, value) in query.items {
            let parts = name.split(separator: "_", omittingEmptySubsequences: false)
            if let field = field(name), field.filter != .none, let column = field.column {
                if let value = field.sqlFilter(value) {
                    list.conditions.append(.init(column: column, comparison: .equals, value: value))
                } else {
                    list.filter(column, in: [] as [String])
                }
            } else if parts.count > 2, parts[parts.count - 2].isEmpty, let comparison = Self.comparisons[String(parts[parts.count - 1])],
                let field = field(parts.dropLast(2).joined(separator: "_")), field.filter == .text, let column = field.column
            {
                list.filter(column, comparison, value)
            }
        }
        if let text = query["limit"] {
            guard let limit = Int(text), limit >= 0 else { throw CloudError.badRequest("The limit must be a whole number, not '\(text.prefix(32))'.") }
            // A list without a limit has all rows, as in the reference.
            if limit > 0 { list.limit = min(limit, Limits.list.page.most) }
        }
        list.marker = query["marker"]
        if let key = query["sort_key"] {
            guard let order = field(key)?.order else { throw CloudError.badRequest("'\(key.prefix(64))' cannot be sorted by.") }
            list.sort.append((order, try ascending(query["sort_dir"])))
        }
        return list
    }

    private func ascending(_ direction: String?) throws -> Bool {
        switch direction {
        case nil, "asc": true
        case "desc": false
        default: throw CloudError.badRequest("sort_dir must be 'asc' or 'desc'.")
        }
    }
}
