import CloudCore
import HTTPKit

/// The links that views have.
struct Links: Sendable {
    /// `http://cloud/compute`
    let base: String

    /// The project, where the request's own URL has one: `/1f6c…`.
    private let project: String
    /// What the links of this version begin with.
    var home: String { base + "/v2.1" + project }

    init(_ call: ComputeCall) {
        base = call.call.base
        let named = call.parameter(Route.urlProject)
        project = named.isEmpty ? "" : "/" + Percent.encode(named)
    }

    private func link(_ json: inout JSONWriter, _ rel: StaticString, _ href: String) {
        json.object { json in
            json.member("rel", rel.description)
            json.member("href", href)
        }
    }

    /// Of one thing: itself, and a bookmark without the version.
    ///
    /// - Parameter alternate: the media type of the same thing where another service has it.
    func write(_ json: inout JSONWriter, _ collection: String, _ id: String, alternate: String? = nil) {
        let path = "/\(collection)/\(Percent.encode(id))"
        var links: [(rel: String, type: String?, href: String)] = [("self", nil, home + path), ("bookmark", nil, base + project + path)]
        if let alternate { links.append(("alternate", alternate, base.replacing(/\/compute$/, with: "/image") + path)) }
        json.array("links", of: links) { json, link in
            json.object { json in
                json.member("rel", link.rel)
                if let type = link.type { json.member("type", type) }
                json.member("href", link.href)
            }
        }
    }

    /// Only the bookmark.
    func bookmark(_ json: inout JSONWriter, _ collection: String, _ id: String) {
        json.array("links", of: [id]) { json, id in link(&json, "bookmark", "\(base)\(project)/\(collection)/\(Percent.encode(id))") }
    }

    /// Where a list goes on, when it was as long as was asked for.
    ///
    /// - Parameter collection: as `servers/detail`.
    func next(_ json: inout JSONWriter, _ key: StaticString, _ collection: String, _ call: ComputeCall, count: Int, last: String?) {
        guard let last, let limit = try? call.page().limit, limit > 0, count == limit else { return }
        var items = call.call.query.items.filter { $0.name != "marker" }
        items.append((name: "marker", value: last))
        items.sort { $0.name < $1.name }
        let query = items.map { "\(Percent.encode($0.name))=\(Percent.encode($0.value))" }.joined(separator: "&")
        json.array(key, of: [query]) { json, query in link(&json, "next", "\(home)/\(collection)?\(query)") }
    }
}
