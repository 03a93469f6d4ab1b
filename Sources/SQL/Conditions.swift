/// Conditions on the rows of a table, which must all hold, and the values of their `?`.
///
/// ```swift
/// var conditions = Conditions()
/// conditions.equal("host", filter.host)
/// conditions.atLeast("ram", filter.leastRAM)
/// try tx.rows("SELECT id FROM server \(conditions.clause)", arguments: conditions.arguments)
/// ```
package struct Conditions: Sendable {
    private var parts: [String] = []
    package private(set) var arguments: [SQLValue] = []

    package init() {}

    /// Adds a condition in SQL, with a `?` for each value.
    package mutating func add(_ sql: String, _ values: [SQLValue] = []) {
        parts.append("(\(sql))")
        arguments += values
    }

    /// Adds that a column equals a value; nothing without a value.
    package mutating func equal<Value: SQLConvertible>(_ column: String, _ value: Value?) {
        compare(column, "=", value)
    }

    /// Adds that a column is a value or more; nothing without a value.
    package mutating func atLeast<Value: SQLConvertible>(_ column: String, _ value: Value?) {
        compare(column, ">=", value)
    }

    /// Adds that a column is a value or less; nothing without a value.
    package mutating func atMost<Value: SQLConvertible>(_ column: String, _ value: Value?) {
        compare(column, "<=", value)
    }

    /// Adds that a column has one of some values; nothing without a list. No row has one of no values.
    package mutating func isIn<Value: SQLConvertible>(_ column: String, _ values: [Value]?) {
        guard let values else { return }
        parts.append(values.isEmpty ? "1 = 0" : "\(column) IN (\(values.map { _ in "?" }.joined(separator: ", ")))")
        arguments += values.map { $0.sql }
    }

    /// Adds that a row stands behind another one in an order: the next page.
    ///
    /// - Parameters:
    ///   - order: SQL that is never NULL and, taken together, different in every row.
    ///   - values: the values of that other row; nil for the first page.
    package mutating func after(_ order: [(column: String, ascending: Bool)], _ values: [SQLValue]?) {
        guard let values else { return }
        let (sql, arguments) = Keyset.after(order, values)
        add(sql, arguments)
    }

    private mutating func compare<Value: SQLConvertible>(_ column: String, _ sign: String, _ value: Value?) {
        guard let value else { return }
        parts.append("\(column) \(sign) ?")
        arguments.append(value.sql)
    }

    /// The conditions with their `WHERE`; empty where there are none.
    package var clause: String { parts.isEmpty ? "" : "WHERE \(parts.joined(separator: " AND "))" }
}
