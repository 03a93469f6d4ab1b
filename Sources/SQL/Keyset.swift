package import CloudCore

/// Pages of a list that are cut by the values of the sort keys, not by counting rows.
package enum Keyset {
    /// The most keys that a list may be sorted by, including the keys that make its order total.
    package static let mostKeys = Limits.list.sortKeys.most

    /// Returns the order without repeated keys: they add nothing to it. The condition of a page grows with the square
    /// of the number of keys, and the work of the query planner even faster.
    ///
    /// - Throws: `CloudError.badRequest` for more keys than `mostKeys`, counted before any is dropped.
    package static func distinct<Key: Hashable>(
        _ order: [(column: Key, ascending: Bool)]
    ) throws(CloudError) -> [(column: Key, ascending: Bool)] {
        guard order.count <= mostKeys else { throw .badRequest("A list cannot be sorted by more than \(mostKeys) keys.") }
        var seen: Set<Key> = []
        return order.filter { seen.insert($0.column).inserted }
    }

    /// Returns the `ORDER BY` of an order.
    package static func ordering(_ order: [(column: String, ascending: Bool)]) -> String {
        "ORDER BY \(order.map { "\($0.column) \($0.ascending ? "ASC" : "DESC")" }.joined(separator: ", "))"
    }

    /// Returns the condition `a >= ? AND ((a > ?) OR (a = ? AND b < ?) OR …)` for the rows behind a given row, in an
    /// order of mixed directions. Its first part adds nothing to the rest. It is a bound that an index can begin at.
    ///
    /// - Parameters:
    ///   - order: SQL expressions that are never NULL and, taken together, differ in every row.
    ///   - values: the values of the given row.
    package static func after(
        _ order: [(column: String, ascending: Bool)], _ values: [SQLValue]
    ) -> (sql: String, arguments: [SQLValue]) {
        var parts: [String] = []
        var arguments: [SQLValue] = []
        for end in order.indices {
            let equal = order[..<end].map { "\($0.column) = ?" }
            parts.append("(" + (equal + ["\(order[end].column) \(order[end].ascending ? ">" : "<") ?"]).joined(separator: " AND ") + ")")
            arguments += values[...end]
        }
        let rest = parts.joined(separator: " OR ")
        guard order.count > 1, let first = order.first else { return (rest, arguments) }
        return ("\(first.column) \(first.ascending ? ">=" : "<=") ? AND (\(rest))", [values[0]] + arguments)
    }
}
