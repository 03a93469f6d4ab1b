import CloudCore
import SQL

/// The lists of volumes and their summary.
struct VolumeLister: Sendable {
    let service: VolumeService
    private var context: BlockStorageContext { service.context }

    struct Answer: Sendable {
        var volumes: [VolumeView]
        /// The number of all volumes of the list; nil unless it was asked for.
        var count: Int?
    }

    func list(_ query: ListRequest, by caller: Caller) async throws -> Answer {
        try caller.require(.listVolumes)
        let filter = try Self.filter(query.filters, by: caller)
        let page = try RowPage(query.page, by: query.sort, ListColumn.volumes)
        return try await context.read { tx in
            let found = try service.volumes.page(filter, page, in: tx)
            let count = try query.hasCount ? service.volumes.total(filter, in: tx).count : nil
            return Answer(volumes: try service.views(found, in: tx), count: count)
        }
    }

    struct Summary: Sendable {
        var count: Int
        var size: Int
        /// The values of each name of metadata.
        var metadata: [(name: String, values: [String])]
    }

    /// The first minor version whose summaries have metadata.
    static let metadataSince = 36

    func summary(_ query: ListRequest, by caller: Caller) async throws -> Summary {
        try caller.require(.listVolumes)
        var filters = try ListFilters(query.filters, of: "volume", strictSince: .max, by: caller)
        let project = try filters.takeProject()
        return try await context.read { tx in
            let total = try service.volumes.total(VolumeFilter(projectID: project), in: tx)
            guard caller.minor >= Self.metadataSince else {
                return Summary(count: total.count, size: total.size, metadata: [])
            }
            let most = Limits.list.page.most
            let pairs = try service.volumes.metadata(of: project, most: most, in: tx)
            var metadata: [(name: String, values: [String])] = []
            for pair in pairs {
                if metadata.last?.name == pair.name {
                    metadata[metadata.count - 1].values.append(pair.value)
                } else {
                    metadata.append((pair.name, [pair.value]))
                }
            }
            return Summary(count: total.count, size: total.size, metadata: metadata)
        }
    }

    // MARK: Filters

    private static let imageMetadataSince = 4
    private static let groupsSince = 10
    private static let strictTruthSince = 2

    static func filter(_ items: [(name: String, value: String)], by caller: Caller) throws -> VolumeFilter {
        var filters = try ListFilters(items, of: "volume", by: caller)
        if caller.minor < ListFilters.strictSince {
            if caller.minor < imageMetadataSince { filters.drop(["glance_metadata"]) }
            if caller.minor < groupsSince { filters.drop(["group_id"]) }
            filters.drop(["created_at", "updated_at", "consumes_quota", "use_quota"])
        }
        var filter = VolumeFilter(projectID: try filters.takeProject())
        for name in ["consumes_quota", "use_quota"] {
            // Every volume counts.
            if try filters.takeOptionalTruth(name) == false { filter.isEmpty = true }
        }
        for column in ["created_at", "updated_at"] {
            if let text = filters.take(column) { filter.moments += try moments(column, text) }
        }
        if let text = filters.take("metadata") { try add(text, to: &filter, \.metadata) }
        if let text = filters.take("glance_metadata") { try add(text, to: &filter, \.imageMetadata) }
        let columns = try filters.columns(ListColumn.volumes, isStrict: caller.minor >= strictTruthSince)
        (filter.equal, filter.contain) = (columns.equal, columns.contain)
        filter.isEmpty = filter.isEmpty || columns.isEmpty
        return filter
    }

    private static func add(
        _ text: String, to filter: inout VolumeFilter,
        _ path: WritableKeyPath<VolumeFilter, [(name: String, value: String)]>
    ) throws {
        if let pairs = PythonDictionary.pairs(text) {
            filter[keyPath: path] = pairs
        } else {
            filter.isEmpty = true
        }
    }

    private static let signs = ["gt": ">", "gte": ">=", "eq": "=", "neq": "<>", "lt": "<", "lte": "<="]

    /// Reads comparisons of a time, such as `gt:2026-01-31T00:00:00,lt:…`.
    private static func moments(_ column: String, _ text: String) throws -> [VolumeFilter.Moment] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            let words = part.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let sign = signs[words[0]] else {
                throw CloudError.badRequest("Invalid \(words[0].prefix(255)) operator")
            }
            guard words.count == 2 else { throw CloudError.badRequest("Invalid \(column) value") }
            guard let time = Timestamp(isotime: words[1]) else {
                throw CloudError.badRequest("Invalid \(words[1].prefix(255)) value")
            }
            return VolumeFilter.Moment(column: column, sign: sign, time: time)
        }
    }
}
