import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The five routes of a uniform resource, and the views that Keystone gives it: a `links` in each object, and one in each
/// list.
struct ResourceRoutes<S: ResourceService>: Sendable {
    let service: S
    /// Where the collection is, as `/v3/users`.
    let path: String

    private var member: String { "\(path)/{\(S.R.schema.singular)_id}" }
    private var parameter: String { "\(S.R.schema.singular)_id" }

    init(_ service: S, at path: String) {
        self.service = service
        self.path = path
    }

    var all: [Route] { [list, create, show, update, delete] }

    var list: Route {
        .get(path) { call in
            let page = try await service.list(call.query, by: call.caller())
            return Self.list(page.rows, hasMore: page.hasMore, call, path)
        }
    }

    var create: Route {
        .post(path) { call in
            let caller = try await call.caller()
            return Self.one(try await service.create(call.body.json(), by: caller), .created, call, path)
        }
    }

    var show: Route {
        .get(member) { call in Self.one(try await service.get(call.id(parameter), by: call.caller()), .ok, call, path) }
    }

    var update: Route {
        .patch(member) { call in
            let caller = try await call.caller()
            return Self.one(try await service.update(call.id(parameter), call.body.json(), by: caller), .ok, call, path)
        }
    }

    var delete: Route {
        .delete(member) { call in
            try await service.delete(call.id(parameter), by: call.caller())
            return .noContent
        }
    }

    // MARK: Views

    static func one(_ resource: S.R, _ status: HTTPResponse.Status, _ call: Call, _ path: String) -> Reply {
        Views.one(resource, status, call, path)
    }

    static func list(_ resources: [S.R], hasMore: Bool = false, _ call: Call, _ path: String) -> Reply {
        Views.list(resources, hasMore: hasMore, call, path)
    }
}

/// Keystone's way of wrapping one object, and many.
enum Views {
    static func one<R: Resource>(_ resource: R, _ status: HTTPResponse.Status = .ok, _ call: Call, _ path: String) -> Reply {
        .json(status) { writer in
            writer.object(dynamic: R.schema.singular) { object(resource, call, path, &$0) }
        }
    }

    /// - Parameter path: where the objects themselves are, which the list's own URL need not be.
    static func list<R: Resource>(_ resources: [R], hasMore: Bool = false, _ call: Call, _ path: String) -> Reply {
        .json { writer in
            writer.array(dynamic: R.schema.plural, of: resources) { writer, resource in
                writer.object { object(resource, call, path, &$0) }
            }
            links(call, next: hasMore ? resources.last?.id.text : nil, &writer)
            if hasMore { writer.member("truncated", true) }
        }
    }

    /// Objects that have no description, each written by `write`.
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

    /// A list's `links`. The next page is asked for like this one, from the last id that was shown.
    static func links(_ call: Call, next marker: String?, _ writer: inout JSONWriter) {
        writer.object("links") { writer in
            writer.member("next", marker.map { marker in
                let kept = call.query.items.filter { $0.name != "marker" }.map { "\(Percent.encode($0.name))=\(Percent.encode($0.value))" }
                return "\(call.url)?\((kept + ["marker=\(Percent.encode(marker))"]).joined(separator: "&"))"
            })
            writer.member("self", call.query.raw.isEmpty ? call.url : "\(call.url)?\(call.query.raw)")
            writer.member("previous", nil as String?)
        }
    }
}
