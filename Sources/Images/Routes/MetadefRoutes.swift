import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// All routes below `/v2/metadefs`, and those of their schemas.
struct MetadefRoutes: Sendable {
    let context: ServiceContext

    var all: [Route] {
        MetadefNamespaceRoutes(namespaces: MetadefNamespaceService(context: context)).all
            + MetadefResourceTypeRoutes(
                namespaces: MetadefNamespaceService(context: context), associations: MetadefPartService(context: context)).all
            + MetadefPropertyRoutes(properties: MetadefPartService(context: context)).all
            + MetadefObjectRoutes(objects: MetadefPartService(context: context)).all
            + MetadefTagRoutes(tags: MetadefPartService(context: context)).all
            + MetadefSchemas.all.map { path, document in
                MetadefEndpoint.route(.get, "/schemas/metadefs/\(path)") { _ in .json { $0.members(of: document) } }
            }
    }
}
