import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of the objects of a namespace.
struct MetadefObjectRoutes: Sendable {
    let maker: RouteMaker<MetadefCall>
    let objects: MetadefPartService<MetadefObject>

    private static let path = "/metadefs/namespaces/{namespace}/objects"
    private static let sortKeys = ["name", "description", "created_at", "updated_at", "id", "namespace_id"]

    var all: [Route] {
        [
            maker.route(.get, Self.path) { call in
                let isPaged = ["limit", "marker", "sort_key", "sort_dir"].contains { call.call.query.has($0) }
                let page = isPaged ? try call.page(sortKeys: Self.sortKeys) : nil
                let found = try await objects.list(page, in: call.namespace, by: call.principal)
                return .json { json in
                    MetadefViews.write(found, of: call.namespace, &json)
                    json.member("schema", "/v2/schemas/metadefs/objects")
                }
            },
            maker.route(.post, Self.path) { call in
                let given = MetadefBodies.object(try await call.body(MetadefSchemas.object, readOnly: MetadefCall.linked))
                let made = try await objects.add(given, to: call.namespace, by: call.principal)
                return .json(.created) { MetadefViews.write(made, of: call.namespace, &$0) }
            },
            maker.route(.delete, Self.path) { call in
                try await objects.deleteAll(in: call.namespace, by: call.principal)
                return .noContent
            },
            maker.route(.get, Self.path + "/{name}") { call in
                let found = try await objects.get(call.name, in: call.namespace, by: call.principal)
                return .json { MetadefViews.write(found, of: call.namespace, &$0) }
            },
            maker.route(.put, Self.path + "/{name}") { call in
                let given = MetadefBodies.object(try await call.body(MetadefSchemas.object, readOnly: MetadefCall.linked))
                let changed = try await objects.modify(call.name, in: call.namespace, to: given, by: call.principal)
                return .json { MetadefViews.write(changed, of: call.namespace, &$0) }
            },
            maker.route(.delete, Self.path + "/{name}") { call in
                try await objects.delete(call.name, in: call.namespace, by: call.principal)
                return .noContent
            },
        ]
    }
}
