import CloudCore
import Placement
import SQL

/// The providers that the searches use. They are the same in every run.
struct BenchProviders: Sendable {
    let count: Int

    private var trees: Int { count / 15 }
    private var flat: Int { count - 3 * trees }

    private static func id<Entity>(_ kind: Int, _ number: Int) -> ID<Entity> {
        let digits = String(number, radix: 16)
        return ID("0000000\(kind)-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits)
    }

    func fill(_ database: Database) async throws {
        let placement = try PlacementAssembly(database: database, world: .real, policyOverrides: [:])
        _ = try await database.migrate([PlacementAssembly.schema])
        let hosts = flat + trees
        for start in stride(from: 0, to: hosts, by: 500) {
            let reports = (start..<min(start + 500, hosts)).map(report)
            try await database.write { tx in
                for (at, report) in reports.enumerated() {
                    try placement.ensure(report, in: tx)
                    // Nine of ten are full.
                    if (start + at) % 10 != 0 { try placement.claim(filling(start + at, report), in: tx) }
                }
            }
        }
        await database.close()
    }

    private func report(_ number: Int) -> [ProviderReport] {
        let id: ID<Kind.Provider> = Self.id(1, number)
        let name = "compute-\(number).example.org"
        // There are ten availability zones, and racks of forty hosts.
        let aggregates: Set = ["zone-\(number % 10)", "rack-\(number / 40)"]
        var traits: Set = ["COMPUTE_NODE", "HW_CPU_X86_SSE42", "HW_CPU_X86_AVX", "COMPUTE_VOLUME_EXTEND", "COMPUTE_NET_VIF_MODEL_VIRTIO"]
        if number.isMultiple(of: 20) { traits.insert("HW_CPU_X86_AVX2") }
        if number.isMultiple(of: 1000) { traits.insert("CUSTOM_RARE") }
        let disk = Inventory(resourceClass: "DISK_GB", total: 4000)
        func compute(_ part: Int64) -> [Inventory] {
            [
                Inventory(resourceClass: "VCPU", total: 64 / part, allocationRatio: 4),
                Inventory(resourceClass: "MEMORY_MB", total: 262_144 / part, reserved: 2048),
            ]
        }
        guard number >= flat else {
            return [ProviderReport(id: id, name: name, inventories: compute(1) + [disk], traits: traits, aggregates: aggregates)]
        }
        let nodes = (0..<2).map { node in
            ProviderReport(
                id: Self.id(2 + node, number), name: "\(name)-numa\(node)", parentID: id, inventories: compute(2),
                traits: ["HW_NUMA_ROOT"], aggregates: [])
        }
        return [ProviderReport(id: id, name: name, inventories: [disk], traits: traits, aggregates: aggregates)] + nodes
    }

    private func filling(_ number: Int, _ report: [ProviderReport]) -> Claim {
        let holders = report.filter { $0.inventories.contains { $0.resourceClass == "VCPU" } }
        return Claim(
            consumerID: Self.id(9, number), projectID: "p", userID: "u", type: "INSTANCE", expects: .anything,
            parts: holders.map { provider in
                .init(providerID: provider.id, resources: [("VCPU", provider.inventories[0].total * 4)])
            })
    }

    /// Returns a claim that always fits, because the disk of flat hosts is never full.
    func smallClaim(_ consumer: String, _ number: Int) -> Claim {
        Claim(
            consumerID: ID(consumer), projectID: "p", userID: "u", type: "INSTANCE", expects: .anything,
            parts: [.init(providerID: Self.id(1, number % (flat / 10) * 10), resources: [("MEMORY_MB", 1), ("DISK_GB", 1)])])
    }
}

/// A search, with its name in the table of results.
struct BenchQuery: Sendable {
    let name: String
    let request: CandidateRequest

    static let all: [BenchQuery] = {
        let plain: [(resourceClass: String, amount: Int64)] = [("VCPU", 2), ("MEMORY_MB", 4096), ("DISK_GB", 20)]
        let enabled = TraitFilter(forbidden: ["COMPUTE_STATUS_DISABLED"])
        func one(_ traits: TraitFilter, _ limit: Int?, in aggregates: AggregateFilter = .init()) -> CandidateRequest {
            CandidateRequest(groups: [RequestGroup(resources: plain, traits: traits, aggregates: aggregates)], limit: limit)
        }
        func required(_ name: String) -> TraitFilter { TraitFilter(required: [[name]], forbidden: enabled.forbidden) }
        let node: [(resourceClass: String, amount: Int64)] = [("VCPU", 4), ("MEMORY_MB", 8192)]
        let granular = CandidateRequest(
            groups: [
                RequestGroup(resources: [("DISK_GB", 20)], traits: enabled), RequestGroup(suffix: "1", resources: node),
                RequestGroup(suffix: "2", resources: node),
            ], isolates: true, limit: 1000)
        return [
            BenchQuery(name: "plain, limit 10", request: one(enabled, 10)),
            BenchQuery(name: "plain, limit 1000", request: one(enabled, 1000)),
            BenchQuery(name: "plain, no limit", request: one(enabled, nil)),
            BenchQuery(name: "a trait of 1 in 20, limit 1000", request: one(required("HW_CPU_X86_AVX2"), 1000)),
            BenchQuery(name: "a trait of 1 in 1000, limit 1000", request: one(required("CUSTOM_RARE"), 1000)),
            BenchQuery(
                name: "one of 10 zones, limit 1000",
                request: one(enabled, 1000, in: AggregateFilter(required: [["zone-0"]]))),
            BenchQuery(name: "one rack, limit 1000", request: one(enabled, 1000, in: AggregateFilter(required: [["rack-7"]]))),
            BenchQuery(name: "two NUMA nodes, isolate, limit 1000", request: granular),
            BenchQuery(
                name: "more than anybody has", request: CandidateRequest(groups: [RequestGroup(resources: [("VCPU", 1000)])], limit: 1000)),
        ]
    }()
}
