import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of the tags of a namespace.
struct MetadefTagRoutes: Sendable {
    let maker: RouteMaker<MetadefCall>
    let tags: MetadefPartService<MetadefTag>

    private static let path = "/metadefs/namespaces/{namespace}/tags"
    private static let sortKeys = ["name", "created_at", "updated_at", "id", "namespace_id"]

    var all: [Route] {
        [
            maker.route(.get, Self.path) { call in
                let page = try call.page(sortKeys: Self.sortKeys)
                let found = try await tags.list(page, in: call.namespace, by: call.principal)
                return .json { MetadefViews.write(found, &$0) }
            },
            maker.route(.post, Self.path) { call in
                let given = MetadefBodies.tags(try await call.body(MetadefSchemas.tags))
                let made = try await tags.add(given, appending: Self.isAppending(call.call), to: call.namespace, by: call.principal)
                return .json(.created) { MetadefViews.write(made, &$0) }
            },
            maker.route(.delete, Self.path) { call in
                try await tags.deleteAll(in: call.namespace, by: call.principal)
                return .noContent
            },
            maker.route(.get, Self.path + "/{name}") { call in
                let found = try await tags.get(call.name, in: call.namespace, by: call.principal)
                return .json { MetadefViews.write(found, &$0) }
            },
            maker.route(.post, Self.path + "/{name}", takesBody: false) { call in
                let given: JSONObject = ["name": .string(call.name)]
                try MetadefSchemaCheck(document: MetadefSchemas.tag).check(given)
                let made = try await tags.add(MetadefBodies.tag(given), to: call.namespace, by: call.principal)
                return .json(.created) { MetadefViews.write(made, &$0) }
            },
            maker.route(.put, Self.path + "/{name}") { call in
                let given = MetadefBodies.tag(try await call.body(MetadefSchemas.tag))
                let changed = try await tags.modify(call.name, in: call.namespace, to: given, by: call.principal)
                return .json { MetadefViews.write(changed, &$0) }
            },
            maker.route(.delete, Self.path + "/{name}") { call in
                try await tags.delete(call.name, in: call.namespace, by: call.principal)
                return .noContent
            },
        ]
    }

    private static let append = HTTPField.Name("X-Openstack-Append")

    /// Returns whether the existing tags stay. The words are those that oslo reads as true.
    private static func isAppending(_ call: Call) -> Bool {
        let word = append.flatMap { call.headers[$0] } ?? ""
        return ["1", "t", "true", "on", "y", "yes"].contains(word.lowercased().filter { $0 != " " })
    }
}
