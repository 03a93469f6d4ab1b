import Access
import Blobs
package import CloudCore
package import Durable
package import HTTPKit
package import Logging
import Resources
package import SQL
package import ServiceLifecycle

/// Images, wired: takes what it depends on, hands out its routes, its schema and its background work.
package struct ImagesAssembly: Sendable {
    let context: ImagesContext
    private let garbage: ReconcilerLoop

    /// - Parameters:
    ///   - policyOverrides: rules of the operator's policy file, by name.
    ///   - sleeper: what background work waits by.
    /// - Throws: `PolicyError` for an override that is no rule.
    package init(
        database: Database, world: World, stores: ImageStores, limits: any ImageLimits, sleeper: any Sleeper,
        policyOverrides: [String: String], log: Logger
    ) throws {
        let policy = try Policy(defaults: ImagesPolicy.defaults, overrides: policyOverrides)
        let base = ServiceContext(database: database, policy: policy, world: world, topic: Topic("images"), prefix: "image")
        let garbage = ReconcilerLoop(
            BlobGarbage(database: database, world: world, stores: stores), world: world, sleeper: sleeper, log: log)
        self.garbage = garbage
        context = ImagesContext(base: base, stores: stores, quota: ImageQuota(limits: limits)) { garbage.nudge() }
    }

    package static let schema = Schema.images

    /// Whether a rule of the policy file is one of Images'.
    package static func hasRule(_ name: String) -> Bool { ImagesPolicy.defaults.contains { $0.action.name == name } }

    package var service: APIService {
        let images = ImageService(context: context)
        return APIService(
            name: "image", prefixes: ["/image"], envelope: ImagesEnvelope(), bodyLimit: 1 << 20, answersUnlistedMethods: false,
            routes: RootRoutes().all + ImageRoutes(images: images, stores: context.stores).all
                + ImageDataRoutes(data: ImageDataService(context: context)).all)
    }

    /// Forgets who was filling an image when the process before this one ended. After the migrations, before the first request.
    package func prepare() async throws {
        // SQLite has one process. On PostgreSQL another one may be at it, and leases end by themselves.
        guard context.base.database.dialect == .sqlite else { return }
        try await context.write { tx in try context.uploads.clear(in: tx) }
    }

    /// Work that goes on beside the requests.
    package var backgroundServices: [any Service] { [garbage] }
}
