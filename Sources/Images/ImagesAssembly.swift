package import Access
import Blobs
package import CloudCore
package import Durable
package import HTTPKit
package import Logging
import Resources
package import SQL
package import ServiceKit
package import ServiceLifecycle

/// The assembly of Images: it takes its dependencies, and provides its routes, its schema and its background work.
package struct ImagesAssembly: ServiceAssembly {
    let context: ImagesContext
    private let garbage: BlobGarbage
    private let collector: ReconcilerLoop
    private let filler: ReconcilerLoop
    private let fetcher: Fetcher
    private let regions: any OtherRegions
    private let log: Logger

    /// The workflows of this service, also older versions that may still be unfinished.
    package static let workflows: [any Workflow.Type] = [ImportImage.self]

    /// - Parameters:
    ///   - workflows: the engine, which knows `Self.workflows`.
    ///   - fetchRules: the rules of what may be fetched for users.
    ///   - policyOverrides: the rules of the operator's policy file, by name.
    ///   - sleeper: the sleeper by which background work waits.
    /// - Throws: `PolicyError` for an override that is no valid rule.
    package init(
        database: Database, world: World, stores: ImageStores, limits: any ImageLimits, regions: any OtherRegions, workflows: Workflows,
        fetchRules: FetchRules, sleeper: any Sleeper, policyOverrides: [String: String], log: Logger
    ) throws {
        let policy = try Policy(defaults: ImagesPolicy.defaults, overrides: policyOverrides)
        let base = ServiceContext(database: database, policy: policy, world: world, topic: Topic("images"), prefix: "image")
        garbage = BlobGarbage(database: database, world: world, stores: stores)
        let collector = ReconcilerLoop(garbage, world: world, sleeper: sleeper, log: log)
        self.collector = collector
        let filler = ReconcilerLoop(ImageCacheFiller(database: database, world: world, stores: stores), world: world, sleeper: sleeper, log: log)
        self.filler = filler
        self.log = log
        fetcher = Fetcher(rules: fetchRules)
        self.regions = regions
        var context = ImagesContext(base: base, stores: stores, quota: ImageQuota(limits: limits), workflows: workflows) { collector.nudge() }
        context.fillCache = { filler.nudge() }
        self.context = context
    }

    package static let schema = Schema.images
    package static let ledger: Ledger? = .images
    package static let catalogEntry = CatalogEntry(type: "image", name: "glance", path: "/image")
    package static let policyRules = ImagesPolicy.defaults

    package var service: APIService {
        let imports = ImportService(context: context, fetcher: fetcher, regions: regions)
        return APIService(
            name: "image", prefixes: ["/image"], envelope: ImagesEnvelope(),
            routes: RootRoutes(hasCache: context.stores.cache != nil).all + ImageRoutes(context: context).all + ImageDataRoutes(data: ImageDataService(context: context)).all
                + ImageMemberRoutes(members: ImageMemberService(context: context)).all
                + ImageLocationRoutes(locations: ImageLocations(context: context)).all
                + CacheRoutes(cache: ImageCacheService(context: context)).all + InfoRoutes(context: context).all + ImageSchemas.all
                + MetadefRoutes(context: context.base).all
                + ImportRoutes(stage: StageService(context: context), imports: imports).all
                + TaskRoutes(tasks: TaskService(context: context, imports: imports)).all + TaskSchemas.all
        ).refusing(unlistedMethods: true, trailingSlash: true)
    }

    /// The code of `workflows`.
    package var definitions: [WorkflowDefinition] {
        [WorkflowDefinition(ImportImage.self, needs: ImportWork(context: context, source: fetcher, regions: regions))]
    }

    /// Loads the metadata definitions that come with the cloud. On SQLite it also forgets the uploads of the previous
    /// process and removes their bytes. It runs after the migrations and before the first request.
    package func prepare() async throws {
        try await MetadefShipping(context: context.base).load(ShippedMetadef.all.map { MetadefBodies.namespace($0.body) })
        // SQLite has one process. On PostgreSQL another process may be uploading; there leases end by themselves, and
        // bytes have their grace period.
        guard context.base.database.dialect == .sqlite else { return }
        try await context.write { tx in try context.uploads.clear(in: tx) }
        for problem in try await garbage.collect(grace: Self.behindEveryClock).problems { log.warning("\(problem)") }
    }

    /// The grace period at the start. No upload is running yet, so bytes are removed even if a wrong clock has dated
    /// them up to ten years in the future.
    private static let behindEveryClock = Duration.seconds(-86_400 * 3650)

    /// The background work of the service.
    package var backgroundServices: [any Service] { context.stores.cache == nil ? [collector] : [collector, filler] }
}
