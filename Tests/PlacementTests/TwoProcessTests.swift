import Access
import CloudCore
import Resources
import SQL
import TestSupport
import Testing

@testable import Placement

/// The stores on both databases, used by two processes at once.
@Suite("Two processes")
struct TwoProcessTests {
    /// What one process has of Placement, without HTTP.
    private struct Process {
        let context: ServiceContext
        let keeper: IndexKeeper
        let providers: ProviderService
        let inventories: InventoryService
        let allocations: AllocationService

        init(_ database: Database, seed: UInt64) throws {
            context = ServiceContext(
                database: database, policy: try Policy(defaults: PlacementPolicy.defaults), world: .test(seed: seed),
                topic: Topic("placement"), prefix: "placement")
            keeper = IndexKeeper(database: database, topic: context.topic)
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
    }

    private static func run(_ kind: DatabaseKind, _ body: (Process, Process) async throws -> Void) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [PlacementAssembly.schema]) { test in
            // A SQLite file belongs to one process; its second one shares the first's database.
            let second = kind == .sqlite ? test.database : try test.reopen()
            try await body(try Process(test.database, seed: 1), try Process(second, seed: 2))
        }
    }

    @Test("Both see each other's commits in their index", arguments: DatabaseKind.allCases)
    func indexFollows(kind: DatabaseKind) async throws {
        try await Self.run(kind) { first, second in
            #expect(try await second.keeper.index().entries.isEmpty)
            try await first.furnish("a", [("VCPU", 8), ("MEMORY_MB", 100)])
            try await first.furnish("b", [("VGPU", 1)], parent: "a")
            let index = try await second.keeper.index()
            #expect(index.entries.map(\.provider.id.text) == ["a", "b"])
            #expect(index.hasTrees)
            try await first.claim("c", "a", 3)
            let later = try await second.keeper.index()
            #expect(try later.number(ofClass: "VCPU").flatMap { later.stock(of: 0, $0)?.used } == 3)
            #expect(try await first.keeper.index() == later)
        }
    }

    @Test("Claims that do not fit together are not both made", arguments: DatabaseKind.allCases)
    func claimsCompete(kind: DatabaseKind) async throws {
        try await Self.run(kind) { first, second in
            try await first.furnish("a", [("VCPU", 10)])
            let made = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<12 {
                    group.addTask { [process = number.isMultiple(of: 2) ? first : second] in
                        do {
                            try await process.claim("c\(number)", "a", 2)
                            return true
                        } catch {
                            return false
                        }
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(made <= 5)
            #expect(made > 0)
            #expect(try await second.used(of: "a") == Int64(made) * 2)
        }
    }

    @Test("A class that is renamed keeps what is allocated of it", arguments: DatabaseKind.allCases)
    func rename(kind: DatabaseKind) async throws {
        try await Self.run(kind) { first, _ in
            let classes = ResourceClassService(context: first.context)
            try await classes.create("CUSTOM_OLD")
            try await first.furnish("a", [("CUSTOM_OLD", 10)])
            try await first.allocations.set(
                Claim(
                    consumerID: ID("c"), projectID: "p", userID: "u", type: nil, expects: .exactly(nil),
                    parts: [.init(providerID: ID("a"), resources: [(resourceClass: "CUSTOM_OLD", amount: 4)])]))
            try await classes.rename("CUSTOM_OLD", to: "CUSTOM_NEW")
            #expect(try await first.allocations.list(of: ID("c")).map(\.allocation.resourceClass) == ["CUSTOM_NEW"])
            let usages = try await first.allocations.usages(project: "p", user: "u")
            #expect(usages.usages.map(\.used) == [4])
            #expect(usages.consumers.map(\.count) == [1])
        }
    }
}
