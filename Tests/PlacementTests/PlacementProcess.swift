import Access
import CloudCore
import Resources
import SQL
import TestSupport

@testable import Placement

/// The parts of Placement in one process, without HTTP.
struct PlacementProcess {
    let context: ServiceContext
    let copy: TopicCopy<IndexStore>
    let providers: ProviderService
    let inventories: InventoryService
    let allocations: AllocationService

    init(_ database: Database, seed: UInt64) throws {
        context = ServiceContext(
            database: database, policy: try Policy(defaults: PlacementPolicy.defaults), world: .test(seed: seed),
            topic: .placement, prefix: "placement")
        copy = TopicCopy(IndexStore(), of: database)
        providers = ProviderService(context: context)
        inventories = InventoryService(context: context)
        allocations = AllocationService(context: context)
    }

    func furnish(_ id: String, _ totals: [(String, Int64)], parent: String? = nil) async throws {
        _ = try await providers.create(.init(id: ID(id), name: "host \(id)", parentID: parent.map { ID($0) }))
        _ = try await inventories.set(
            totals.map { Inventory(resourceClass: $0, total: $1, updatedAt: context.world.now) }, of: ID(id), generation: 0,
            mayReserveAll: true)
    }

    func claim(_ consumer: String, _ provider: String, _ amount: Int64) async throws {
        try await allocations.set(
            Claim(
                consumerID: ID(consumer), projectID: "p", userID: "u", type: "INSTANCE", expects: .anything,
                parts: [.init(providerID: ID(provider), resources: [(resourceClass: "VCPU", amount: amount)])]))
    }

    func used(of id: String) async throws -> Int64 {
        try await allocations.usages(of: ID(id)).usages.reduce(0) { $0 + $1.1 }
    }

    /// Runs the body with two processes on one database. A SQLite file belongs to one process, so there both share its
    /// database.
    static func withTwo(_ kind: DatabaseKind, _ body: (Self, Self) async throws -> Void) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [PlacementAssembly.schema]) { test in
            let second = kind == .sqlite ? test.database : try test.reopen()
            try await body(try Self(test.database, seed: 1), try Self(second, seed: 2))
        }
    }
}
