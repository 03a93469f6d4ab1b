import CloudCore
import HTTPKit

/// The links in the views of a request's answer.
struct Links: Sendable {
    /// The base of the API's URLs, such as `http://cloud/compute`.
    let base: String

    /// The beginning of the links of this version.
    let home: String
    /// The beginning of bookmarks.
    private let bookmarks: String

    init(_ call: ComputeCall) {
        base = call.call.base
        let named = call.parameter(Route.urlProject)
        let project = named.isEmpty ? "" : "/" + Percent.encode(named)
        home = base + "/v2.1" + project
        bookmarks = base + project
    }

    private func link(
        _ json: inout JSONWriter, _ rel: StaticString, type: String? = nil, _ href: (inout JSONWriter) -> Void
    ) {
        json.element { json in
            json.object { json in
                json.member("rel", rel)
                if let type { json.member("type", type) }
                json.text("href", href)
            }
        }
    }

    private func link(
        _ json: inout JSONWriter, _ rel: StaticString, type: String? = nil, _ base: String, _ collection: String,
        _ id: String
    ) {
        link(&json, rel, type: type) { json in
            json.piece(base)
            json.piece("/")
            json.piece(collection)
            json.piece("/")
            json.piece(id)
        }
    }

    /// Writes the links of one resource: the resource itself, and a bookmark without the version.
    ///
    /// - Parameter alternate: the media type of the same resource in the API of Images; nil for no such link.
    func write(_ json: inout JSONWriter, _ collection: String, _ id: String, alternate: String? = nil) {
        let id = Percent.encode(id)
        json.array("links") { json in
            link(&json, "self", home, collection, id)
            link(&json, "bookmark", bookmarks, collection, id)
            guard let alternate else { return }
            link(&json, "alternate", type: alternate, base.replacing(/\/compute$/, with: "/image"), collection, id)
        }
    }

    /// Writes only the bookmark of a resource.
    func bookmark(_ json: inout JSONWriter, _ collection: String, _ id: String) {
        json.array("links") { link(&$0, "bookmark", bookmarks, collection, Percent.encode(id)) }
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
        json.array(key) { json in
            link(&json, "next") { $0.piece("\(home)/\(collection)?\(query)") }
        }
    }
}
