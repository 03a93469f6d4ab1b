import CloudCore
import HTTPKit

/// The links in the views of a request's answer.
struct Links: Sendable {
    /// The base of the API's URLs, such as `http://cloud/compute`.
    let base: String

    /// The project in the request's own URL, such as `/1f6c…`; empty if the URL has none.
    private let project: String
    /// The beginning of the links of this version.
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

    /// Writes the links of one resource: the resource itself, and a bookmark without the version.
    ///
    /// - Parameter alternate: the media type of the same resource in the API of Images; nil for no such link.
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

    /// Writes only the bookmark of a resource.
    func bookmark(_ json: inout JSONWriter, _ collection: String, _ id: String) {
        json.array("links", of: [id]) { json, id in link(&json, "bookmark", "\(base)\(project)/\(collection)/\(Percent.encode(id))") }
    }

    /// Writes the link to the next page, if this page has as many elements as the request allowed.
    ///
    /// - Parameter collection: the path of the list, such as `servers/detail`.
    func next(_ json: inout JSONWriter, _ key: StaticString, _ collection: String, _ call: ComputeCall, count: Int, last: String?) {
        guard let last, let limit = try? call.page().limit, limit > 0, count == limit else { return }
        var items = call.call.query.items.filter { $0.name != "marker" }
        items.append((name: "marker", value: last))
        items.sort { $0.name < $1.name }
        let query = items.map { "\(Percent.encode($0.name))=\(Percent.encode($0.value))" }.joined(separator: "&")
        json.array(key, of: [query]) { json, query in link(&json, "next", "\(home)/\(collection)?\(query)") }
    }
}
