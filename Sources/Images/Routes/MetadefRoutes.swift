import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// All routes below `/v2/metadefs`, and those of their schemas.
struct MetadefRoutes: Sendable {
    let context: ServiceContext

    var all: [Route] {
        let maker = RouteMaker<MetadefCall>(policy: context.policy, prefix: "/v2")
        return MetadefNamespaceRoutes(maker: maker, namespaces: MetadefNamespaceService(context: context)).all
            + MetadefResourceTypeRoutes(
                maker: maker, namespaces: MetadefNamespaceService(context: context),
                associations: MetadefPartService(context: context)
            ).all
            + MetadefPropertyRoutes(maker: maker, properties: MetadefPartService(context: context)).all
            + MetadefObjectRoutes(maker: maker, objects: MetadefPartService(context: context)).all
            + MetadefTagRoutes(maker: maker, tags: MetadefPartService(context: context)).all
            + MetadefSchemas.all.map { path, document in
                maker.route(.get, "/schemas/metadefs/\(path)") { _ in .json { $0.members(of: document) } }
            }
    }
}
