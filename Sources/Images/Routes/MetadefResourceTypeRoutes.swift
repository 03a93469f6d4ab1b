import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/v2/metadefs/resource_types`, and of the associations of a namespace with them.
struct MetadefResourceTypeRoutes: Sendable {
    let maker: RouteMaker<MetadefCall>
    let namespaces: MetadefNamespaceService
    let associations: MetadefPartService<MetadefAssociation>

    private static let path = "/metadefs/namespaces/{namespace}/resource_types"

    var all: [Route] {
        [
            maker.route(.get, "/metadefs/resource_types") { call in
                let types = try await namespaces.resourceTypes(by: call.principal)
                return .json { json in
                    json.array("resource_types", of: types) { json, type in json.object { MetadefViews.write(type, &$0) } }
                }
            },
            maker.route(.get, Self.path) { call in
                let found = try await associations.list(in: call.namespace, by: call.principal)
                return .json { MetadefViews.write(found, &$0) }
            },
            maker.route(.post, Self.path) { call in
                let given = MetadefBodies.association(try await call.body(MetadefSchemas.association))
                let made = try await associations.add(given, to: call.namespace, by: call.principal)
                return .json(.created) { MetadefViews.write(made, &$0) }
            },
            maker.route(.delete, Self.path + "/{name}") { call in
                try await associations.delete(call.name, in: call.namespace, by: call.principal)
                return .noContent
            },
        ]
    }
}
