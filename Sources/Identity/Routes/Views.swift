import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// Keystone's format of answers: each object and each list has a member `links`.
enum Views: ResourceViews {
    static let changes = HTTPRequest.Method.patch

    static func parameter<R: Resource>(of type: R.Type) -> String { "\(R.schema.singular)_id" }
    static func condition<R: Resource>(_ call: Call) throws -> Condition<R> { { _ in } }

    static func one<R: Resource>(
        _ shown: Shown<R>, _ status: HTTPResponse.Status, _ call: Call, _ path: String
    ) throws -> Reply {
        guard let row = shown.rows.first else { throw CloudError.internalError("nothing to show at \(path)") }
        return one(row, status, call, path)
    }

    /// Writes resources that one request created. The list has no `links` of its own.
    static func many<R: Resource>(_ made: Shown<R>, _ call: Call, _ path: String) -> Reply {
        .json(.created) { rows(made.rows, call, path, &$0) }
    }

    static func list<R: Resource>(_ shown: Shown<R>, _ call: Call, _ path: String) -> Reply {
        list(shown.rows, hasMore: shown.hasMore, call, path)
    }

    static func one<R: Resource>(
        _ resource: R, _ status: HTTPResponse.Status = .ok, _ call: Call, _ path: String
    ) -> Reply {
        .json(status) { writer in
            writer.object(dynamic: R.schema.singular) { object(resource, call, path, &$0) }
        }
    }

    /// Writes a list.
    ///
    /// - Parameter path: the path of the objects themselves, which can differ from the list's own URL.
    static func list<R: Resource>(_ resources: [R], hasMore: Bool = false, _ call: Call, _ path: String) -> Reply {
        .json { writer in
            rows(resources, call, path, &writer)
            links(call, next: hasMore ? resources.last?.id.text : nil, &writer)
            if hasMore { writer.member("truncated", true) }
        }
    }

    private static func rows<R: Resource>(_ rows: [R], _ call: Call, _ path: String, _ writer: inout JSONWriter) {
        writer.array(dynamic: R.schema.plural, of: rows) { writer, resource in
            writer.object { object(resource, call, path, &$0) }
        }
    }

    /// Writes a list of objects without a schema, each with `write`.
    static func list<Element>(
        _ key: StaticString, _ elements: [Element], _ call: Call, _ write: (Element, inout JSONWriter) -> Void
    ) -> Reply {
        .json { writer in
            writer.array(key, of: elements) { writer, element in writer.object { write(element, &$0) } }
            links(call, next: nil, &writer)
        }
    }

    static func object<R: Resource>(_ resource: R, _ call: Call, _ path: String, _ writer: inout JSONWriter) {
        R.schema.view(resource, into: &writer)
        writer.object("links") { $0.member("self", "\(call.base)\(path)/\(Percent.encode(resource.id.text))") }
    }

    /// Writes a list's `links`. The link to the next page repeats the query, with the last id of this page as its
    /// marker.
    static func links(_ call: Call, next marker: String?, _ writer: inout JSONWriter) {
        writer.object("links") { writer in
            writer.member("next", marker.map { marker in
                let kept = call.query.items.filter { $0.name != "marker" }
                    .map { "\(Percent.encode($0.name))=\(Percent.encode($0.value))" }
                return "\(call.url)?\((kept + ["marker=\(Percent.encode(marker))"]).joined(separator: "&"))"
            })
            writer.member("self", call.query.raw.isEmpty ? call.url : "\(call.url)?\(call.query.raw)")
            writer.member("previous", nil as String?)
        }
    }
}

extension ResourceRoutes where V == Views {
    init(_ service: S, at path: String, parameter: String? = nil) {
        self.init(service, at: path, as: Views.self, parameter: parameter)
    }
}
