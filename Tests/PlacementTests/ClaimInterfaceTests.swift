import CloudCore
import Resources
import SQL
import TestSupport
import Testing

@testable import Placement

/// The functions that other services call on Placement in their own transactions.
@Suite("Placement for other services")
struct ClaimInterfaceTests {
    private struct Deliberate: Error {}

    private static func run(_ kind: DatabaseKind, _ body: (PlacementAssembly, Database) async throws -> Void) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [PlacementAssembly.schema]) { test in
            try await body(try PlacementAssembly(database: test.database, world: .test(), policyOverrides: [:]), test.database)
        }
    }

    private static func host(_ id: String, _ totals: [String: Int64] = ["VCPU": 4, "MEMORY_MB": 100]) -> ProviderReport {
        ProviderReport(
            id: ID(id), name: id, inventories: totals.sorted { $0.key < $1.key }.map { Inventory(resourceClass: $0.key, total: $0.value) })
    }

    private static func claim(
        _ consumer: String, _ parts: [String: [String: Int64]], expects: Claim.Expectation = .anything
    ) -> Claim {
        Claim(
            consumerID: ID(consumer), projectID: "p", userID: "u", type: "INSTANCE", expects: expects,
            parts: parts.sorted { $0.key < $1.key }.map { id, amounts in
                .init(providerID: ID(id), resources: amounts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
            })
    }

    private static func used(_ id: String, _ database: Database) async throws -> [String: Int64] {
        try await database.read { tx in try AllocationStore().used(of: ID(id), in: tx) }
    }

    @Test("A refusal names the provider, the class and the missing amount, and the transaction goes on", arguments: DatabaseKind.allCases)
    func refusals(kind: DatabaseKind) async throws {
        try await Self.run(kind) { placement, database in
            try await database.write { tx in
                try placement.ensure([Self.host("a")], in: tx)
                try placement.ensure([Self.host("b", ["VCPU": 8, "MEMORY_MB": 1000])], in: tx)
                try placement.claim(Self.claim("other", ["a": ["VCPU": 3]]), in: tx)
                try placement.claim(Self.claim("c", ["a": ["VCPU": 1]]), in: tx)
            }
            let refusal = try await database.write { tx -> ClaimRefusal? in
                var refusal: ClaimRefusal?
                do {
                    try placement.claim(Self.claim("c", ["a": ["VCPU": 3, "MEMORY_MB": 101, "VGPU": 1]]), in: tx)
                } catch let refused as ClaimRefusal {
                    refusal = refused
                }
                // The refused claim changed nothing: the consumer still has its former allocations.
                #expect(try placement.allocations(of: ID("c"), in: tx)?.parts.map(\.providerID.text) == ["a"])
                try placement.claim(Self.claim("c", ["b": ["VCPU": 3, "MEMORY_MB": 101]]), in: tx)
                return refusal
            }
            guard case .lacking(let lacks) = refusal else {
                Issue.record("\(String(describing: refusal))")
                return
            }
            #expect(lacks.map(\.resourceClass) == ["MEMORY_MB", "VCPU", "VGPU"])
            #expect(lacks.map(\.reason) == [.full(free: 100), .full(free: 1), .noInventory])
            #expect(lacks.map(\.missing) == [1, 2, 1])
            #expect(try await Self.used("a", database) == ["VCPU": 3])
            #expect(try await Self.used("b", database) == ["VCPU": 3, "MEMORY_MB": 101])
        }
    }

    @Test(
        "A claim is refused if the generations that its caller expects have changed", arguments: DatabaseKind.allCases)
    func generations(kind: DatabaseKind) async throws {
        try await Self.run(kind) { placement, database in
            try await database.write { tx in try placement.ensure([Self.host("a")], in: tx) }
            let first = try await database.write { tx in try placement.claim(Self.claim("c", ["a": ["VCPU": 1]], expects: .exactly(nil)), in: tx) }
            #expect(first == 1)
            await #expect(throws: ClaimRefusal.consumerChanged(ID("c"), expected: nil, actual: 1)) {
                try await database.write { tx in _ = try placement.claim(Self.claim("c", ["a": ["VCPU": 2]], expects: .exactly(nil)), in: tx) }
            }
            var late = Self.claim("c", ["a": ["VCPU": 2]], expects: .exactly(1))
            late.parts[0].generation = 1
            await #expect(throws: ClaimRefusal.providerChanged(ID("a"), expected: 1, actual: 2)) {
                try await database.write { [late] tx in _ = try placement.claim(late, in: tx) }
            }
            late.parts[0].generation = 2
            let second = try await database.write { [late] tx in try placement.claim(late, in: tx) }
            #expect(second == 2)
            await #expect(throws: ClaimRefusal.consumerChanged(ID("c"), expected: 1, actual: 2)) {
                try await database.write { tx in _ = try placement.release(ID("c"), expects: .exactly(1), in: tx) }
            }
            let released = try await database.write { tx in
                [try placement.release(ID("c"), expects: .exactly(2), in: tx), try placement.release(ID("c"), in: tx)]
            }
            #expect(released == [true, false])
        }
    }

    @Test("A server's allocations move to its migration and back, even if the host has become too small", arguments: DatabaseKind.allCases)
    func moves(kind: DatabaseKind) async throws {
        try await Self.run(kind) { placement, database in
            try await database.write { tx in
                try placement.ensure([Self.host("a")], in: tx)
                try placement.ensure([Self.host("b")], in: tx)
                try placement.claim(Self.claim("server", ["a": ["VCPU": 4]]), in: tx)
                // Half of the host fails: it has less than is used.
                try placement.ensure([Self.host("a", ["VCPU": 2, "MEMORY_MB": 100])], in: tx)
            }
            try await database.write { tx in
                try placement.move(from: ID("server"), to: ID("migration"), type: "MIGRATION", in: tx)
                try placement.claim(Self.claim("server", ["b": ["VCPU": 4]], expects: .exactly(nil)), in: tx)
            }
            let kept = try await database.read { tx in try placement.allocations(of: ID("migration"), in: tx) }
            #expect(kept?.type == "MIGRATION")
            #expect(kept?.generation == 1)
            await #expect(throws: ClaimRefusal.consumerChanged(ID("server"), expected: nil, actual: 1)) {
                try await database.write { tx in try placement.move(from: ID("migration"), to: ID("server"), type: nil, in: tx) }
            }
            try await database.write { tx in
                try placement.release(ID("server"), in: tx)
                try placement.move(from: ID("migration"), to: ID("server"), type: "INSTANCE", in: tx)
            }
            #expect(try await Self.used("a", database) == ["VCPU": 4])
            #expect(try await Self.used("b", database) == [:])
        }
    }

    @Test("Candidates can be claimed unchanged", arguments: DatabaseKind.allCases)
    func candidates(kind: DatabaseKind) async throws {
        try await Self.run(kind) { placement, database in
            try await database.write { tx in
                for number in 1...3 {
                    try placement.ensure(
                        [
                            ProviderReport(
                                id: ID("h\(number)"), name: "h\(number)", inventories: [Inventory(resourceClass: "VCPU", total: 4)],
                                traits: number == 2 ? [] : ["HW_CPU_X86_AVX", "CUSTOM_RACK"], aggregates: ["az"]),
                            ProviderReport(
                                id: ID("g\(number)"), name: "g\(number)", parentID: ID("h\(number)"),
                                inventories: [Inventory(resourceClass: "VGPU", total: 1)]),
                        ], in: tx)
                }
            }
            let request = CandidateRequest(
                groups: [
                    RequestGroup(
                        resources: [("VCPU", 2)], traits: TraitFilter(required: [["CUSTOM_RACK"]]),
                        aggregates: AggregateFilter(required: [["az"]])),
                    RequestGroup(suffix: "_gpu", resources: [("VGPU", 1)]),
                ])
            let found = try await placement.candidates(request)
            #expect(found.map(\.rootID.text) == ["h1", "h3"])
            #expect(found.first?.providers(of: "") == [ID("h1")])
            #expect(found.first?.providers(of: "_gpu") == [ID("g1")])
            for (number, candidate) in found.enumerated() {
                try await database.write { tx in
                    var claim = Self.claim("c\(number)", [:])
                    claim.parts = candidate.parts
                    try placement.claim(claim, in: tx)
                }
            }
            #expect(try await placement.candidates(request).isEmpty)
            await #expect(throws: CloudError.self) {
                _ = try await placement.candidates(CandidateRequest(groups: [RequestGroup(resources: [("CUSTOM_NONE", 1)])]))
            }
        }
    }

    @Test(
        "A report writes only changes, and keeps removed resources that are still used",
        arguments: DatabaseKind.allCases)
    func reports(kind: DatabaseKind) async throws {
        try await Self.run(kind) { placement, database in
            var host = Self.host("h")
            host.traits = ["HW_CPU_X86_AVX"]
            host.aggregates = ["az"]
            func card(_ id: String) -> ProviderReport {
                ProviderReport(id: ID(id), name: id, parentID: ID("h"), inventories: [Inventory(resourceClass: "CUSTOM_CARD", total: 1)])
            }
            func ensure(_ report: [ProviderReport]) async throws -> ReportOutcome {
                try await database.write { tx in try placement.ensure(report, in: tx) }
            }
            #expect(try await ensure([card("g1"), card("g2"), host]).changed)
            let revision = try await database.revision(of: .placement)
            #expect(try await ensure([card("g2"), host, card("g1")]).changed == false)
            #expect(try await database.revision(of: .placement) == revision)

            try await database.write { tx in
                try placement.claim(Self.claim("c", ["g1": ["CUSTOM_CARD": 1], "h": ["MEMORY_MB": 10]]), in: tx)
                let provider = try ProviderStore().require(ID("h"), in: tx)
                try NameStore().insertTrait("CUSTOM_OURS", at: provider.createdAt, in: tx)
                try ProviderStore().setTraits(["HW_CPU_X86_AVX", "CUSTOM_OURS"], of: ID("h"), in: tx)
            }
            host.inventories = [Inventory(resourceClass: "VCPU", total: 2)]
            host.traits = ["HW_CPU_X86_AVX2"]
            host.aggregates = nil
            let outcome = try await ensure([host])
            #expect(
                outcome.leftovers == [
                    .init(providerID: ID("h"), resourceClass: "MEMORY_MB"), .init(providerID: ID("g1"), resourceClass: "CUSTOM_CARD"),
                ])
            let sources = try await placement.copy.latest().sources
            #expect(sources.map(\.provider.id.text) == ["g1", "h"])
            #expect(sources.last?.traits == ["HW_CPU_X86_AVX2", "CUSTOM_OURS"])
            #expect(sources.last?.aggregates == ["az"])
            #expect(sources.flatMap(\.inventories).map(\.inventory.capacity) == [0, 0, 2])
            #expect(try await ensure([host]).changed == false)
            try await database.write { tx in _ = try placement.release(ID("c"), in: tx) }
            #expect(try await ensure([host]).leftovers == [])
            #expect(try await placement.copy.latest().sources.map(\.provider.id.text) == ["h"])
            await #expect(throws: CloudError.self) { _ = try await ensure([card("g1")]) }
        }
    }

    @Test("Concurrent claims in larger transactions leave exactly what was committed", arguments: DatabaseKind.allCases)
    func races(kind: DatabaseKind) async throws {
        try await PlacementProcess.withTwo(kind) { first, second in
            let processes = try [first, second].map {
                try PlacementAssembly(database: $0.context.database, world: $0.context.world, policyOverrides: [:])
            }
            let database = first.context.database
            try await database.write { [placement = processes[0]] tx in
                try tx.script("CREATE TABLE server (id TEXT PRIMARY KEY, host TEXT NOT NULL)")
                for host in ["a", "b"] { try placement.ensure([Self.host(host, ["VCPU": 10])], in: tx) }
            }
            let committed = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<60 {
                    let placement = processes[number % 2]
                    group.addTask {
                        do {
                            try await placement.context.database.write { tx in
                                try tx.execute("INSERT INTO server (id, host) VALUES (?, ?)", "s\(number)", "a")
                                do {
                                    try placement.claim(Self.claim("s\(number)", ["a": ["VCPU": 1]]), in: tx)
                                } catch is ClaimRefusal {
                                    try placement.claim(Self.claim("s\(number)", ["b": ["VCPU": 1]]), in: tx)
                                    try tx.execute("UPDATE server SET host = 'b' WHERE id = ?", "s\(number)")
                                }
                                // Some transactions fail after the claim.
                                if number % 3 == 0 { throw Deliberate() }
                            }
                            return true
                        } catch is Deliberate {
                            return false
                        } catch is ClaimRefusal {
                            return false
                        }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(committed == 20, "40 are not rolled back, and there is room for 20")
            for host in ["a", "b"] {
                #expect(try await Self.used(host, database) == ["VCPU": 10])
                let servers: Int? = try await database.read { tx in try tx.value("SELECT COUNT(*) FROM server WHERE host = ?", host) }
                #expect(servers == 10)
            }
            let consumers: Int? = try await database.read { tx in
                try tx.value("SELECT COUNT(*) FROM placement_consumer WHERE id IN (SELECT id FROM server)")
            }
            #expect(consumers == 20)
            for process in [first, second] {
                let read = try await database.read { tx in try IndexStore().load(in: tx).sources }
                #expect(try await process.copy.latest().sources == read)
            }
        }
    }
}
