import CloudCore
import HTTPKit

/// A list that is not read from one table. It has few rows, all in memory; this type filters, sorts and cuts them as
/// the URL asks.
struct ViewList: Sendable {
    /// The key of the list in the response.
    let plural: String
    /// The attribute that a page's marker names.
    let key: String
    /// The attributes that callers can filter and sort by.
    let filters: Set<String>
    /// The filters that the query behind the rows has already applied.
    var done: Set<String> = []
    /// Whether an unknown filter is refused. It is ignored where the reference ignores it.
    var isStrict = true

    /// Writes the rows that the URL asks for.
    ///
    /// - Parameter write: writes a member that JSON's own types cannot hold; returns false for a member that it does
    ///   not know.
    func reply(
        _ rows: [JSONObject], _ call: Call, write: @escaping @Sendable (String, JSON, inout JSONWriter) -> Bool = { _, _, _ in false }
    ) async throws -> Reply {
        let page = try PageRequest(call.query)
        let (shown, isFull) = try cut(sorted(filtered(rows, call.query), page), page)
        let fields = PageRequest.fields(call.query)
        let links = PageLinks(
            limit: page.limit, isFull: isFull, first: shown.first?[key]?.string, last: shown.last?[key]?.string, call)
        return try await .page(of: shown.count) {
            .json { json in
                json.array(dynamic: plural, of: shown) { json, row in
                    json.object { json in
                        for (name, value) in row.members where fields.isEmpty || fields.contains(name) {
                            if write(name, value, &json) { continue }
                            json.key(dynamic: name)
                            json.value(value)
                        }
                    }
                }
                links.write("\(plural)_links", &json)
            }
        }
    }

    private func filtered(_ rows: [JSONObject], _ asked: Query) throws -> [JSONObject] {
        var rows = rows
        for (name, values) in PageRequest.filters(asked) where !done.contains(name) {
            guard filters.contains(name) else {
                if isStrict { throw PageRequest.noFilter(name) }
                continue
            }
            rows = rows.filter { row in values.contains { Self.matches(row[name] ?? .null, $0) } }
        }
        return rows
    }

    private static func matches(_ value: JSON, _ text: String) -> Bool {
        switch value {
        case .bool(let isTrue): Bool.isTrue([text]) == isTrue
        case .string(let own): own == text
        case .integer(let number): String(number) == text
        case .null: text.isEmpty
        default: false
        }
    }

    private func sorted(_ rows: [JSONObject], _ page: PageRequest) throws -> [JSONObject] {
        for (key, _) in page.sort where !filters.contains(key) { throw PageRequest.noSortKey(key) }
        let order = page.sort + [(key, true)]
        return rows.sorted { one, other in
            for (key, ascending) in order {
                let (left, right) = (one[key]?.text ?? "", other[key]?.text ?? "")
                if left != right { return (left < right) == ascending }
            }
            return false
        }
    }

    /// Returns one page of the rows. Rows with the same key stay together, since a marker cannot tell them apart.
    private func cut(_ rows: [JSONObject], _ page: PageRequest) throws -> (rows: [JSONObject], isFull: Bool) {
        guard let limit = page.limit else { return (rows, false) }
        var rest = page.isReversed ? Array(rows.reversed()) : rows
        if let marker = page.marker {
            guard let at = rest.lastIndex(where: { $0[key]?.string == marker }) else { throw CloudError.badRequest("Marker could not be found.") }
            rest = Array(rest[(at + 1)...])
        }
        var some = Array(rest.prefix(limit))
        let last = some.last?[key]
        some += rest.dropFirst(limit).prefix { $0[key] == last }
        return (page.isReversed ? some.reversed() : some, some.count >= limit)
    }
}

/// The links of a list's page, as the reference writes them: a full page links to the next one, and every page to the
/// previous one unless it is known to be the first.
struct PageLinks: Sendable {
    private var links: [(rel: String, href: String)] = []

    /// Creates the links of a page.
    ///
    /// - Parameters:
    ///   - limit: the most rows of the page; nil for a list without pages.
    ///   - first: the marker of the page's first row, and `last` of its last one; nil on an empty page.
    init(limit: Int?, isFull: Bool, first: String?, last: String?, _ call: Call) {
        guard limit != nil else { return }
        let isReversed = ["true", "1"].contains(call.query["page_reverse"]?.lowercased())
        let kept = call.query.items.filter { !["marker", "page_reverse"].contains($0.name) }
            .map { "\(Percent.encode($0.name))=\(Percent.encode($0.value))" }
        func href(_ marker: String?, reversed: Bool) -> String {
            let more = (marker.map { ["marker=\(Percent.encode($0))"] } ?? []) + (reversed ? ["page_reverse=True"] : [])
            return "\(call.url)?\((kept + more).joined(separator: "&"))"
        }
        if isFull || isReversed { links.append(("next", href(last, reversed: false))) }
        if isFull || !isReversed { links.append(("previous", href(first, reversed: true))) }
    }

    func write(_ key: String, _ json: inout JSONWriter) {
        guard !links.isEmpty else { return }
        json.array(dynamic: key, of: links) { json, link in
            json.object { json in
                json.member("rel", link.rel)
                json.member("href", link.href)
            }
        }
    }
}
