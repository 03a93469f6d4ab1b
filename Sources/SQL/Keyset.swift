package import CloudCore

/// Pages that are cut by what is sorted by, not by counting rows.
package enum Keyset {
    /// The most keys that a list may be sorted by, the ones that make its order total among them.
    package static let mostKeys = 64

    /// Returns the order without keys that were named before: they add nothing to it, and the condition of a page grows with the
    /// square of the keys, and a planner's work for it even faster.
    ///
    /// - Throws: `CloudError.badRequest` for more keys than `mostKeys`, before any is dropped.
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

    /// `(a > ?) OR (a = ? AND b < ?) OR …`: the rows behind one, in a mixed order.
    ///
    /// - Parameters:
    ///   - order: SQL that is never NULL and, taken together, different in every row.
    ///   - values: of that one row.
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
        return (parts.joined(separator: " OR "), arguments)
    }
}
