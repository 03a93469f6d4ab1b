import CloudCore
import SQL
import TestSupport
import Testing

@testable import Placement

/// Tests of the stores on both databases, with two concurrent processes.
@Suite("Two processes")
struct TwoProcessTests {
    @Test("The index of each process has the commits of both", arguments: DatabaseKind.allCases)
    func indexFollows(kind: DatabaseKind) async throws {
        try await PlacementProcess.withTwo(kind) { first, second in
            #expect(try await second.copy.latest().isEmpty)
            try await first.furnish("a", [("VCPU", 8), ("MEMORY_MB", 100)])
            try await first.furnish("b", [("VGPU", 1)], parent: "a")
            let index = try await second.copy.latest()
            #expect(index.sources.map(\.provider.id.text) == ["a", "b"])
            #expect(index.hasTrees)
            try await first.claim("c", "a", 3)
            let later = try await second.copy.latest()
            #expect(later.sources.first?.inventories.map(\.used) == [0, 3])
            #expect(try await first.copy.latest().sources == later.sources)
        }
    }

    @Test("Two processes cannot make claims that do not fit together", arguments: DatabaseKind.allCases)
    func claimsCompete(kind: DatabaseKind) async throws {
        try await PlacementProcess.withTwo(kind) { first, second in
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

    @Test("A renamed resource class keeps its allocations", arguments: DatabaseKind.allCases)
    func rename(kind: DatabaseKind) async throws {
        try await PlacementProcess.withTwo(kind) { first, _ in
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
