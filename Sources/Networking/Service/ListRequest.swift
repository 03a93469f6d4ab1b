import CloudCore
import HTTPKit
import Resources
import SQL

/// What a list's URL asks for, of any noun: every field that may be filtered by, repeated values standing for either, several sort
/// keys, pages in both directions, and the filters that are no columns.
struct ListRequest<R: NetworkingResource> {
    var query = ListQuery()
    private(set) var others: [(name: String, values: [String])] = []

    private static var reserved: Set<String> { ["fields", "limit", "marker", "page_reverse", "sort_key", "sort_dir"] }

    /// - Throws: `CloudError.badRequest` for an attribute that nobody filters or sorts by, a direction or a limit that cannot be.
    init(_ asked: Query) throws {
        var values: [(name: String, values: [String])] = []
        for (name, value) in asked.items where !Self.reserved.contains(name) {
            let name = name == "tenant_id" ? "project_id" : name == "target_project" ? "target_tenant" : name
            if let at = values.firstIndex(where: { $0.name == name }) { values[at].values.append(value) } else { values.append((name, [value])) }
        }
        for (name, values) in values { try filter(name, values) }
        try sort(asked)
        if let text = asked["limit"] {
            guard let limit = Int(text), limit >= 0 else {
                throw CloudError.badRequest("Limit must be an integer 0 or greater and not '\(text.prefix(32))'")
            }
            if limit > 0 { query.limit = min(limit, ResourceSchema<R>.mostInPage) }
        }
        query.marker = asked["marker"].flatMap { $0.isEmpty ? nil : $0 }
        query.isReversed = ["true", "1"].contains(asked["page_reverse"]?.lowercased())
    }

    private mutating func filter(_ name: String, _ values: [String]) throws {
        if R.otherFilters.contains(name) || (R.hasTags && TagStore.filters.contains(name)) {
            others.append((name, values))
        } else if let field = R.schema.field(name), field.filter != .none, let column = field.column {
            query.filter(column, sql: values.compactMap { field.sqlFilter(field.shape.isTruth ? $0.lowercased() : $0) })
        } else {
            throw CloudError.networking(.badRequest, "HTTPBadRequest", "['\(name.prefix(64))'] is invalid attribute for filtering")
        }
    }

    private mutating func sort(_ asked: Query) throws {
        let keys = asked.items.filter { $0.name == "sort_key" }.map(\.value)
        let directions = asked.items.filter { $0.name == "sort_dir" }.map(\.value)
        guard directions.isEmpty || keys.count == directions.count else {
            throw CloudError.badRequest("The number of sort_keys and sort_dirs must be same")
        }
        for (position, key) in keys.enumerated() {
            guard let order = R.schema.field(key == "tenant_id" ? "project_id" : key)?.order else {
                throw CloudError.badRequest("['\(key.prefix(64))'] is invalid attribute for sort keys")
            }
            let direction = directions.isEmpty ? "asc" : directions[position]
            guard ["asc", "desc"].contains(direction) else {
                throw CloudError.badRequest("\(direction.prefix(32)) is invalid sort direction, valid values are 'asc' and 'desc'")
            }
            query.sort.append((order, direction == "asc"))
        }
    }
}

extension Shape {
    fileprivate var isTruth: Bool { if case .boolean = self { true } else { false } }
}
