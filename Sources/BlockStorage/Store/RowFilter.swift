import SQL

/// The filters of a query as conditions on columns; all must hold.
struct RowFilter: Sendable {
    var equal: [(column: String, value: SQLValue)] = []
    /// The columns that must contain texts.
    var contain: [(column: String, part: String)] = []
    /// Whether a filter is unknown or has a value that no row can have.
    var isEmpty = false
}

extension Conditions {
    mutating func add(_ filter: RowFilter) {
        if filter.isEmpty { add("1 = 0") }
        for (column, value) in filter.equal {
            add(value == .null ? "\(column) IS NULL" : "\(column) = ?", value == .null ? [] : [value])
        }
        for (column, part) in filter.contain { add("replace(\(column), ?, '') <> \(column)", [part.sql]) }
    }
}
