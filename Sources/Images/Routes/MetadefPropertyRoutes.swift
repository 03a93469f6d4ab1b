import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of the properties of a namespace.
struct MetadefPropertyRoutes: Sendable {
    let maker: RouteMaker<MetadefCall>
    let properties: MetadefPartService<MetadefProperty>

    private static let path = "/metadefs/namespaces/{namespace}/properties"

    var all: [Route] {
        [
            maker.route(.get, Self.path) { call in
                let found = try await properties.list(in: call.namespace, by: call.principal)
                return .json { MetadefViews.write(found, &$0) }
            },
            maker.route(.post, Self.path) { call in
                let given = MetadefBodies.property(try await call.body(MetadefSchemas.property))
                let made = try await properties.add(given, to: call.namespace, by: call.principal)
                return .json(.created) { MetadefViews.write(made, &$0) }
            },
            maker.route(.delete, Self.path) { call in
                try await properties.deleteAll(in: call.namespace, by: call.principal)
                return .noContent
            },
            maker.route(.get, Self.path + "/{name}") { call in
                let found =
                    if let type = call.call.query["resource_type"], !type.isEmpty {
                        try await properties.get(call.name, as: type, in: call.namespace, by: call.principal)
                    } else {
                        try await properties.get(call.name, in: call.namespace, by: call.principal)
                    }
                return .json { MetadefViews.write(found, &$0) }
            },
            maker.route(.put, Self.path + "/{name}") { call in
                let given = MetadefBodies.property(try await call.body(MetadefSchemas.property))
                let changed = try await properties.modify(call.name, in: call.namespace, to: given, by: call.principal)
                return .json { MetadefViews.write(changed, &$0) }
            },
            maker.route(.delete, Self.path + "/{name}") { call in
                try await properties.delete(call.name, in: call.namespace, by: call.principal)
                return .noContent
            },
        ]
    }
}
