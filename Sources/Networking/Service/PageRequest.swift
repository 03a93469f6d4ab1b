import CloudCore
import HTTPKit
import Resources
import SQL

/// The order and the page that a list's URL asks for.
struct PageRequest: Sendable {
    static let names: Set<String> = ["fields", "limit", "marker", "page_reverse", "sort_key", "sort_dir"]

    private(set) var sort: [(key: String, ascending: Bool)] = []
    /// The most rows of a page; nil for no limit.
    var limit: Int?
    /// The id of the last row that the caller has seen.
    let marker: String?
    /// Whether the page before the marker is wanted.
    let isReversed: Bool

    /// Reads the order and the page from a query.
    ///
    /// - Throws: `CloudError.badRequest` for an invalid sort direction or limit.
    init(_ asked: Query) throws {
        marker = asked["marker"].flatMap { $0.isEmpty ? nil : $0 }
        isReversed = ["true", "1"].contains(asked["page_reverse"]?.lowercased())
        if let text = asked["limit"] {
            guard let limit = Int(text), limit >= 0 else {
                throw CloudError.badRequest("Limit must be an integer 0 or greater and not '\(text.prefix(32))'")
            }
            if limit > 0 { self.limit = min(limit, Limits.list.page.most) }
        }
        let keys = asked.items.filter { $0.name == "sort_key" }.map(\.value)
        let directions = asked.items.filter { $0.name == "sort_dir" }.map(\.value)
        guard directions.isEmpty || keys.count == directions.count else {
            throw CloudError.badRequest("The number of sort_keys and sort_dirs must be same")
        }
        if let wrong = directions.first(where: { !["asc", "desc"].contains($0) }) {
            throw CloudError.badRequest(
                "\(wrong.prefix(32)) is invalid sort direction, valid values are 'asc' and 'desc'")
        }
        for (position, key) in keys.enumerated() {
            sort.append((key, directions.isEmpty || directions[position] == "asc"))
        }
    }

    /// Returns the fields that a URL asks for; an empty set stands for all.
    static func fields(_ asked: Query) -> Set<String> {
        Set(asked.items.filter { $0.name == "fields" && !$0.value.isEmpty }.map(\.value))
    }

    /// Returns the filters of a URL, each with its values.
    static func filters(_ asked: Query) -> [(name: String, values: [String])] {
        var filters: [(name: String, values: [String])] = []
        for (name, value) in asked.items where !names.contains(name) {
            let name = name == "tenant_id" ? "project_id" : name == "target_project" ? "target_tenant" : name
            if let at = filters.firstIndex(where: { $0.name == name }) {
                filters[at].values.append(value)
            } else {
                filters.append((name, [value]))
            }
        }
        return filters
    }

    /// Returns the first project that a URL filters by.
    static func project(_ asked: Query) -> String? { filters(asked).first { $0.name == "project_id" }?.values.first }

    static func noFilter(_ name: String) -> CloudError {
        .networking(.badRequest, "HTTPBadRequest", "['\(name.prefix(64))'] is invalid attribute for filtering")
    }

    static func noSortKey(_ key: String) -> CloudError {
        .badRequest("['\(key.prefix(64))'] is invalid attribute for sort keys")
    }
}

extension PageRequest {
    /// Reads the query of a list's URL for any noun: filters by every field that allows it, with repeated values as
    /// alternatives, several sort keys, and pages in both directions. The noun's service adds the filters that are not
    /// columns.
    ///
    /// - Throws: `CloudError.badRequest` for an unknown filter or sort key, or an invalid sort direction or limit.
    static func list<R: NetworkingResource>(_: R.Type, _ asked: Query) throws -> ListQuery {
        var query = ListQuery()
        for field in R.schema.fields where field.filter != .none { ShapeTrace.note(.query(field.name, field.shape)) }
        for (name, values) in filters(asked) { try filter(R.self, name, values, &query) }
        let page = try PageRequest(asked)
        for (key, ascending) in page.sort {
            guard let order = R.schema.field(R.sortedAs[key] ?? key)?.order else { throw noSortKey(key) }
            query.sort.append((order, ascending))
        }
        query.limit = page.limit
        if let most = R.mostInPage { query.limit = min(query.limit ?? most, most) }
        query.marker = page.marker
        query.isReversed = page.isReversed
        return query
    }

    private static func filter<R: NetworkingResource>(
        _: R.Type, _ name: String, _ values: [String], _ query: inout ListQuery
    ) throws {
        if name == "changed_since", let column = R.schema.field("updated_at")?.column {
            guard let moment = values.last.flatMap({ Timestamp(iso8601: $0) }) else {
                throw CloudError.invalidInput("changed_since must be a moment of the form YYYY-MM-DDTHH:MM:SSZ")
            }
            query.filter(column, .greaterOrEqual, moment)
        } else if R.otherFilters.contains(name) || (R.hasTags && TagStore.filters.contains(name)) {
            return
        } else if let field = R.schema.field(name), field.filter != .none, let column = field.column {
            let written = values.map { field.shape.isTruth ? $0.lowercased() : R.written($0, of: name) }
            query.filter(column, sql: written.compactMap { field.sqlFilter($0) })
        } else {
            throw noFilter(name)
        }
    }
}

extension Shape {
    fileprivate var isTruth: Bool { if case .boolean = self { true } else { false } }
}
