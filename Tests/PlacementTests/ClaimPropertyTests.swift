import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Placement

/// Properties that hold whatever happens: random trees, claims and releases by several concurrent clients.
@Suite("Random claims")
struct ClaimPropertyTests {
    private static let classes = ["VCPU", "MEMORY_MB", "DISK_GB"]
    private static let ratio = 1.5

    @Test(
        "Random claims never exceed the capacity, and the index equals the tables afterwards",
        arguments: [1, 2, 3] as [UInt64])
    func claims(seed: UInt64) async throws {
        try await TestCloud.run(seed: seed) { cloud in
            let client = try await PlacementClient(cloud)
            var random = SplitMix64(seed: seed)
            var ids: [String] = []
            for number in 1...8 {
                let id = PlacementClient.id(number)
                let parent = Bool.random(using: &random) ? ids.randomElement(using: &random) : nil
                let totals = Self.classes.map { ($0, Int64.random(in: 1...12, using: &random)) }
                try await client.provider(id, parent: parent, totals, ratio: Self.ratio)
                ids.append(id)
            }
            let providers = ids
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<4 {
                    group.addTask {
                        var random = SplitMix64(seed: seed &* 100 &+ UInt64(number))
                        for _ in 0..<25 { await Self.step(client, providers, &random) }
                    }
                }
                group.addTask {
                    for _ in 0..<25 { _ = await client.send(.get, "/allocation_candidates?resources=VCPU:1,DISK_GB:1") }
                }
            }
            try await Self.check(cloud)
        }
    }

    /// Claims for one of a few consumers that other clients use too, or deletes its allocations.
    private static func step(_ client: PlacementClient, _ providers: [String], _ random: inout SplitMix64) async {
        let consumer = PlacementClient.id(0xc00 + Int.random(in: 0..<6, using: &random))
        if Int.random(in: 0..<4, using: &random) == 0 {
            let reply = await client.send(.delete, "/allocations/\(consumer)")
            #expect(reply.status == .noContent || reply.status == .notFound)
            return
        }
        let present = await client.send(.get, "/allocations/\(consumer)").json["consumer_generation"] ?? .null
        var parts: [String: [String: Int64]] = [:]
        for provider in providers.shuffled(using: &random).prefix(2) {
            let name = classes.randomElement(using: &random) ?? "VCPU"
            parts[provider] = [name: Int64.random(in: 1...8, using: &random)]
        }
        let reply = await client.claim(consumer, parts, generation: present)
        #expect(reply.status == .noContent || reply.status == .conflict, "\(reply.text)")
    }

    private static func check(_ cloud: TestCloud) async throws {
        let kept = try await cloud.cloud.placement.copy.latest()
        let read = try await cloud.database.read { tx in try IndexStore().load(in: tx).sources }
        #expect(kept.sources == read)
        var used: Int64 = 0
        for holding in read.flatMap(\.inventories) {
            #expect(Double(holding.used) <= holding.inventory.limit)
            used += holding.used
        }
        #expect(used > 0)
        let strays: Int? = try await cloud.database.read { tx in
            try tx.value(
                "SELECT COUNT(*) FROM placement_consumer WHERE id NOT IN (SELECT consumer_id FROM placement_allocation)")
        }
        #expect(strays == 0)
    }
}
