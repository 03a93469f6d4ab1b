import Access
import Blobs
package import CloudCore
package import HTTPKit
import Resources
package import SQL

/// Images, wired: takes what it depends on, hands out its routes and its schema.
package struct ImagesAssembly: Sendable {
    let context: ServiceContext

    /// - Parameter policyOverrides: rules of the operator's policy file, by name.
    /// - Throws: `PolicyError` for an override that is no rule.
    package init(database: Database, world: World, policyOverrides: [String: String]) throws {
        let policy = try Policy(defaults: ImagesPolicy.defaults, overrides: policyOverrides)
        context = ServiceContext(database: database, policy: policy, world: world, topic: Topic("images"), prefix: "image")
    }

    package static let schema = Schema.images

    /// Whether a rule of the policy file is one of Images'.
    package static func hasRule(_ name: String) -> Bool { ImagesPolicy.defaults.contains { $0.action.name == name } }

    package var service: APIService {
        APIService(
            name: "image", prefixes: ["/image"], envelope: ImagesEnvelope(), bodyLimit: 1 << 20, answersUnlistedMethods: false,
            routes: RootRoutes().all + MetadefRoutes(context: context).all)
    }
}
