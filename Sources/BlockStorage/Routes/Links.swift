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

extension VolumeCall {
    /// Returns the answer with a page of a list.
    ///
    /// - Parameters:
    ///   - names: the members with the elements and with the link to the next page, such as `volumes` and
    ///     `volumes_links`.
    ///   - path: the path of the list, such as `volumes/detail`.
    ///   - id: the id of an element.
    ///   - count: the number of all elements of the list; nil unless it was asked for.
    ///   - write: writes the members of an element.
    func page<Element: Sendable>(
        _ names: (elements: StaticString, links: StaticString), at path: String, _ found: [Element],
        id: any KeyPath<Element, String> & Sendable, count: Int? = nil,
        _ write: @escaping @Sendable (Element, inout JSONWriter) -> Void
    ) async throws -> Reply {
        try await .page(of: found.count) {
            .json { json in
                json.array(names.elements, of: found) { json, element in json.object { write(element, &$0) } }
                let last = found.last?[keyPath: id]
                Links(self).next(&json, names.links, path, self, count: count ?? found.count, last: last)
                if let count { json.member("count", count) }
            }
        }
    }
}
