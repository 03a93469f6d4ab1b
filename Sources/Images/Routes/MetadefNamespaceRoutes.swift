import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/v2/metadefs/namespaces`.
struct MetadefNamespaceRoutes: Sendable {
    let maker: RouteMaker<MetadefCall>
    let namespaces: MetadefNamespaceService

    private static let sortKeys = [
        "namespace", "display_name", "description", "visibility", "protected", "owner", "created_at", "updated_at", "id",
    ]
    private static let usualInPage = 25

    var all: [Route] {
        [
            maker.route(.get, "/metadefs/namespaces") { call in try await list(call) },
            maker.route(.post, "/metadefs/namespaces") { call in try await create(call) },
            maker.route(.get, "/metadefs/namespaces/{namespace}") { call in
                var (namespace, contents) = try await namespaces.show(call.namespace, by: call.principal)
                if let type = call.call.query["resource_type"] { contents = contents.prefixed(for: type) }
                return .json { [contents] in MetadefViews.write(namespace, contents, &$0) }
            },
            maker.route(.put, "/metadefs/namespaces/{namespace}") { call in
                // The contents of the namespace in the body are ignored, as by Glance: they have their own routes.
                let body = try await call.body(MetadefSchemas.namespace, readOnly: MetadefCall.linked)
                let (given, _) = MetadefBodies.namespace(body)
                let namespace = try await namespaces.update(call.namespace, given, by: call.principal)
                return .json { MetadefViews.write(namespace, [], &$0) }
            },
            maker.route(.delete, "/metadefs/namespaces/{namespace}") { call in
                try await namespaces.delete(call.namespace, by: call.principal)
                return .noContent
            },
        ]
    }

    private func list(_ call: MetadefCall) async throws -> Reply {
        let query = call.call.query
        var filter = MetadefNamespaceStore.Filter()
        if let visibility = query["visibility"] {
            guard [MetadefNamespace.public, MetadefNamespace.private].contains(visibility) else {
                throw CloudError.badRequest("Invalid visibility value: \(visibility.prefix(32))")
            }
            filter.visibility = visibility
        }
        filter.resourceTypes = query["resource_types"].map { $0.split(separator: ",").map(String.init) }
        let page = try call.page(sortKeys: Self.sortKeys, limit: Self.usualInPage)
        let listed = try await namespaces.list(filter, page, by: call.principal)
        return try await .page(of: listed.rows.count) {
            .json { json in
                json.array("namespaces", of: listed.rows) { json, row in
                    json.object { MetadefViews.write(row.namespace, row.associations, &$0) }
                }
                json.member("first", MetadefLinks.page(query, after: nil))
                if let next = listed.next { json.member("next", MetadefLinks.page(query, after: next)) }
                json.member("schema", "/v2/schemas/metadefs/namespaces")
            }
        }
    }

    private func create(_ call: MetadefCall) async throws -> Reply {
        let body = try await call.body(MetadefSchemas.namespace, readOnly: MetadefCall.linked)
        let (given, contents) = MetadefBodies.namespace(body)
        let (namespace, made) = try await namespaces.create(given, contents, by: call.principal)
        return .json(.created, headers: [.location: call.call.base + MetadefLinks.namespace(namespace.name)]) {
            MetadefViews.write(namespace, made, &$0)
        }
    }
}
