import CloudCore
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

/// Conditions on things of projects; all must hold.
struct ProjectFilter: Sendable {
    /// The project; nil for all projects.
    var projectID: String?
    /// A type whose groups, or whose groups' snapshots, are left out.
    var exceptType: ID<GroupType>?
    var columns = RowFilter()

    var conditions: Conditions {
        var conditions = Conditions()
        conditions.equal("project_id", projectID)
        if let exceptType { conditions.add("type_id <> ?", [exceptType.sql]) }
        conditions.add(columns)
        return conditions
    }
}
