import CloudCore
import HTTPKit

/// The links in the views of a request's answer.
struct Links: Sendable {
    /// The base of the API's URLs, such as `http://cloud/volume`.
    private let base: String
    /// The project in the request's own URL, such as `/1f6c…`; empty if the URL has none.
    private let project: String

    init(_ call: VolumeCall) {
        base = call.call.base
        let named = call.parameter(Route.urlProject)
        project = named.isEmpty ? "" : "/" + Percent.encode(named)
    }

    /// Writes the links of one thing: the thing itself, and a bookmark without the version.
    func write(_ json: inout JSONWriter, _ collection: String, _ id: String) {
        let path = "\(project)/\(collection)/\(Percent.encode(id))"
        json.array("links", of: [("self", "\(base)/v3\(path)"), ("bookmark", base + path)]) { json, link in
            json.object { json in
                json.member("rel", link.0)
                json.member("href", link.1)
            }
        }
    }

    /// Writes the link to the next page, if this page has as many elements as the request allowed.
    ///
    /// - Parameters:
    ///   - key: the member's name, such as `volumes_links`.
    ///   - collection: the path of the list, such as `volumes/detail`.
    func next(
        _ json: inout JSONWriter, _ key: StaticString, _ collection: String, _ call: VolumeCall, count: Int,
        last: String?
    ) {
        guard let last, let limit = try? ListRequest.limit(call), count >= limit else { return }
        var items = call.call.query.items.filter { $0.name != "marker" }
        items.append((name: "marker", value: last))
        let query = items.map { "\(Percent.encode($0.name))=\(Percent.encode($0.value))" }.joined(separator: "&")
        json.array(key, of: ["\(base)/v3\(project)/\(collection)?\(query)"]) { json, href in
            json.object { json in
                json.member("rel", "next")
                json.member("href", href)
            }
        }
    }
}
