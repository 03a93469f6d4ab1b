package import Access
package import CloudCore
package import HTTPKit
import Resources
package import SQL
package import ServiceKit

/// The assembly of Placement: it takes its dependencies, and provides its routes and its schema.
package struct PlacementAssembly: ServiceAssembly {
    let context: ServiceContext
    /// The index of all providers as of the latest commit.
    let copy: TopicCopy<IndexStore>

    /// - Parameter policyOverrides: the rules of the operator's policy file, by name.
    /// - Throws: `PolicyError` for an override that is no valid rule.
    package init(database: Database, world: World, policyOverrides: [String: String]) throws {
        let policy = try Policy(defaults: PlacementPolicy.defaults, overrides: policyOverrides)
        context = ServiceContext(database: database, policy: policy, world: world, topic: .placement, prefix: "placement")
        copy = TopicCopy(IndexStore(), of: database)
    }

    package static let schema = Schema.placement
    package static let catalogEntry = CatalogEntry(type: "placement", name: "placement", path: "/placement")
    package static let policyRules = PlacementPolicy.defaults

    package var service: APIService {
        let candidates = CandidateService(context: context, copy: copy)
        let maker = RouteMaker<PlacementCall>(policy: context.policy)
        let allocations = AllocationService(context: context)
        return APIService(
            name: "placement", prefixes: ["/placement"], envelope: PlacementEnvelope(),
            microversions: MicroversionRange(
                serviceType: "placement", RootRoutes.range,
                complaints: .init(
                    malformed: { "invalid version string: \($0)" }, outside: { version, _ in "Unacceptable version header: \(version)" })),
            routes: RootRoutes(world: context.world).all
                + ResourceClassRoutes(maker: maker, classes: ResourceClassService(context: context)).all
                + TraitRoutes(maker: maker, traits: TraitService(context: context)).all
                + ProviderRoutes(maker: maker, providers: ProviderService(context: context), candidates: candidates).all
                + InventoryRoutes(maker: maker, inventories: InventoryService(context: context)).all
                + AllocationRoutes(maker: maker, allocations: allocations).all
                + UsageRoutes(maker: maker, allocations: allocations).all
                + CandidateRoutes(maker: maker, candidates: candidates).all
        ).refusing(unlistedMethods: true)
    }

    /// Brings the index up to date. It runs after the migrations and before the first request, and then from time to
    /// time: an index that is many commits behind would be read from nothing.
    package func prepare() async throws { _ = try await copy.latest() }
}
