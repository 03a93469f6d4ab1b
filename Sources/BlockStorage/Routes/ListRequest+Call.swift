import CloudCore
import HTTPKit

extension ListRequest {
    private static let pageNames: Set<String> = ["limit", "marker", "offset", "sort", "sort_key", "sort_dir"]
    /// The first minor version that knows `with_count`.
    private static let countSince = 45

    /// Reads the query of a request.
    ///
    /// - Parameters:
    ///   - hasCount: whether the list knows `with_count`.
    ///   - usual: the key of the order if the query names none.
    /// - Throws: `CloudError.badRequest`.
    init(_ call: VolumeCall, hasCount: Bool = false, usual: String = "created_at") throws {
        var seen = Self.pageNames
        self.init(filters: call.call.query.items.filter { seen.insert($0.name).inserted })
        page = ListPage(limit: try Self.limit(call), marker: call.query("marker"), offset: try Self.offset(call))
        sort = try Self.sort(call, usual: usual)
        if hasCount, call.minor >= Self.countSince, call.query("with_count") != nil {
            self.hasCount = try call.truth("with_count")
            filters.removeAll { $0.name == "with_count" }
        }
    }

    /// Returns the most elements that the answer may have.
    static func limit(_ call: VolumeCall) throws -> Int {
        guard let text = call.query("limit") else { return ListPage.most }
        guard let limit = Int(text) else { throw CloudError.badRequest("limit param must be an integer") }
        guard limit >= 0 else { throw CloudError.badRequest("limit param must be positive") }
        return min(limit, ListPage.most)
    }

    private static func offset(_ call: VolumeCall) throws -> Int {
        guard let text = call.query("offset") else { return 0 }
        guard let offset = Int(text) else { throw CloudError.badRequest("offset must be an integer") }
        guard (0...Int(Shape.largestInteger)).contains(offset) else {
            let bound = offset < 0 ? "offset must be >= 0" : "offset must be <= \(Shape.largestInteger)"
            throw CloudError.badRequest(bound)
        }
        return offset
    }

    private static func sort(_ call: VolumeCall, usual: String) throws -> [(key: String, ascending: Bool)] {
        let (key, direction) = (call.query("sort_key"), call.query("sort_dir"))
        guard let text = call.query("sort") else {
            return [(key: (key ?? usual).trimmed, ascending: try isAscending((direction ?? "desc").trimmed))]
        }
        guard key == nil, direction == nil else {
            throw CloudError.badRequest(
                "The 'sort_key' and 'sort_dir' parameters are deprecated and cannot be used with the 'sort' parameter.")
        }
        return try text.trimmed.split(separator: ",", omittingEmptySubsequences: false).map { part in
            let words = part.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let direction = words.count > 1 && !words[1].isEmpty ? String(words[1]).trimmed : "desc"
            return (key: String(words[0]).trimmed, ascending: try isAscending(direction))
        }
    }

    private static func isAscending(_ word: String) throws -> Bool {
        switch word {
        case "asc": true
        case "desc": false
        default: throw VolumeRefusal.input("Unknown sort direction, must be 'desc' or 'asc'.")
        }
    }
}
