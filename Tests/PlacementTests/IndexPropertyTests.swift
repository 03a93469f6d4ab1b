import CloudCore
import Resources
import SQL
import TestSupport
import Testing

@testable import Placement

/// A property of the index that follows commits: it always equals the tables, whoever changed them and how.
@Suite("Random changes")
struct IndexPropertyTests {
    private static let classes = ["VCPU", "MEMORY_MB", "CUSTOM_A", "CUSTOM_B"]
    private static let traits = ["HW_CPU_X86_AVX", "CUSTOM_T", "COMPUTE_NODE", "MISC_SHARES_VIA_AGGREGATE"]
    private static let aggregates = ["x", "y", "z"]

    @Test("After random changes by two processes, the index of both equals the tables", arguments: DatabaseKind.allCases, [1, 2, 3] as [UInt64])
    func follows(kind: DatabaseKind, seed: UInt64) async throws {
        try await PlacementProcess.withTwo(kind) { first, second in
            for name in ["CUSTOM_A", "CUSTOM_B"] { try await ResourceClassService(context: first.context).create(name) }
            _ = try await TraitService(context: first.context).ensure("CUSTOM_T")
            let processes = [first, second]
            for round in 0..<6 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<4 {
                        let process = processes[number % 2]
                        group.addTask {
                            var random = SplitMix64(seed: seed &* 1000 &+ UInt64(round * 10 + number))
                            for _ in 0..<12 {
                                do {
                                    try await Self.step(process, &random)
                                } catch let error as CloudError {
                                    // A refused change has no effect; a bug would be another error.
                                    #expect(error.kind != .internalError && error.kind != .unavailable, "\(error)")
                                }
                            }
                        }
                    }
                    // A concurrent reader never sees a partial change.
                    for process in processes {
                        group.addTask {
                            for _ in 0..<10 { Self.checkWhole(try await process.copy.latest()) }
                        }
                    }
                    try await group.waitForAll()
                }
                for process in processes {
                    let kept = try await process.copy.latest()
                    let read = try await first.context.read { tx in try IndexStore().load(in: tx) }
                    #expect(kept.sources == read.sources)
                    #expect(kept.hasTrees == read.hasTrees)
                    Self.checkWhole(kept)
                    var random = SplitMix64(seed: seed &+ UInt64(round))
                    for _ in 0..<12 { try Self.compare(Self.request(&random), kept, read) }
                }
            }
        }
    }

    // MARK: Changes

    private static func step(_ process: PlacementProcess, _ random: inout SplitMix64) async throws {
        let id = ID<Kind.Provider>("p\(Int.random(in: 0..<12, using: &random))")
        let other = ID<Kind.Provider>("p\(Int.random(in: 0..<12, using: &random))")
        let providers = process.providers
        switch Int.random(in: 0..<12, using: &random) {
        case 0, 1, 2:
            _ = try await providers.create(.init(id: id, name: id.text, parentID: Bool.random(using: &random) ? other : nil))
        case 3: try await providers.delete(id)
        case 4:
            let parent: Update<ID<Kind.Provider>> = Bool.random(using: &random) ? .set(other) : .clear
            _ = try await providers.update(id, name: id.text, parent: parent, mayMove: true)
        case 5, 6:
            let inventories = classes.filter { _ in Bool.random(using: &random) }.map {
                Inventory(
                    resourceClass: $0, total: .random(in: 1...8, using: &random), maxUnit: .random(in: 1...8, using: &random),
                    stepSize: .random(in: 1...2, using: &random), allocationRatio: [1, 1.5].randomElement(using: &random) ?? 1,
                    updatedAt: process.context.world.now)
            }
            let generation = try await providers.get(id).generation
            _ = try await process.inventories.set(inventories, of: id, generation: generation, mayReserveAll: true)
        case 7:
            let wanted = traits.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
            let generation = try await providers.get(id).generation
            _ = try await TraitService(context: process.context).set(wanted, of: id, generation: generation)
        case 8:
            let wanted = aggregates.filter { _ in Bool.random(using: &random) }
            _ = try await providers.setAggregates(wanted, of: id, generation: nil)
        case 9:
            try await process.allocations.delete(of: ID("c\(Int.random(in: 0..<5, using: &random))"))
        default:
            let parts = Set([id, other]).map { id in
                Claim.Part(
                    providerID: id,
                    resources: [(resourceClass: classes.randomElement(using: &random) ?? "VCPU", amount: .random(in: 1...4, using: &random))])
            }
            try await process.allocations.set(
                Claim(
                    consumerID: ID("c\(Int.random(in: 0..<5, using: &random))"), projectID: "p", userID: "u", type: "INSTANCE",
                    expects: .anything, parts: parts))
        }
    }

    private static func checkWhole(_ index: ProviderIndex) {
        let ids = index.sources.map(\.provider.id)
        #expect(Set(ids).count == ids.count, "nobody stands in two trees")
        for (slot, tree) in index.trees {
            for member in tree.members {
                #expect(index.slot(of: member.id) == slot)
                #expect(member.parentID == nil || tree.members[Int(member.parent)].id == member.parentID)
            }
        }
    }

    // MARK: Searches

    private static func request(_ random: inout SplitMix64) -> CandidateRequest {
        var request = CandidateRequest(groups: [], isolates: Bool.random(using: &random))
        for number in 0..<Int.random(in: 1...3, using: &random) {
            var group = RequestGroup(suffix: number == 0 && Bool.random(using: &random) ? "" : "_\(number)")
            for name in classes.shuffled(using: &random).prefix(Int.random(in: 1...2, using: &random)) {
                group.resources.append((resourceClass: name, amount: .random(in: 1...4, using: &random)))
            }
            if Int.random(in: 0..<3, using: &random) == 0 { group.traits.required = [[traits[0], traits[1]]] }
            if Int.random(in: 0..<3, using: &random) == 0 { group.traits.forbidden = [traits[2]] }
            if Int.random(in: 0..<4, using: &random) == 0 { group.aggregates.required = [["x", "y"]] }
            if Int.random(in: 0..<4, using: &random) == 0 { group.aggregates.forbidden = ["z"] }
            request.groups.append(group)
        }
        return request
    }

    private static func compare(_ request: CandidateRequest, _ kept: ProviderIndex, _ read: ProviderIndex) throws {
        let found = try texts(request, kept)
        #expect(found.count == Set(found).count)
        #expect(try Set(found) == Set(texts(request, read)))
        if kept.sharing.isEmpty, request.groups.allSatisfy(\.isGranular) { #expect(Set(found) == byTrying(request, kept.sources)) }
        var limited = request
        limited.limit = 2
        #expect(try texts(limited, kept) == Array(found.prefix(2)))
    }

    private static func texts(_ request: CandidateRequest, _ index: ProviderIndex) throws -> [String] {
        try CandidateSearch(request, in: index).run().requests.map { candidate in
            let amounts = candidate.amounts.map { "\(index.member($0.place).id) \(index.classes[$0.resourceClass]) \($0.amount)" }
            return (amounts.sorted() + candidate.mappings.flatMap { mapping in mapping.places.map { "\(mapping.suffix) \(index.member($0).id)" }.sorted() })
                .joined(separator: ", ")
        }
    }

    /// Returns all choices of one provider for each group that the plain rules allow, as an independent computation of
    /// the candidates.
    private static func byTrying(_ request: CandidateRequest, _ sources: [ProviderIndex.Source]) -> Set<String> {
        var found: Set<String> = []
        func choose(_ chosen: [ProviderIndex.Source]) {
            guard chosen.count < request.groups.count else {
                var sums: [String: Int64] = [:]
                for (group, source) in zip(request.groups, chosen) {
                    for need in group.resources {
                        let key = "\(source.provider.id) \(need.resourceClass)"
                        sums[key, default: 0] += need.amount
                        guard let holding = source.inventories.first(where: { $0.inventory.resourceClass == need.resourceClass }),
                            holding.inventory.portions(need.amount),
                            Double(holding.used + need.amount) <= holding.inventory.limit
                        else { return }
                        let isMerged = sums[key] != need.amount
                        if isMerged, sums[key, default: 0] > holding.inventory.maxUnit { return }
                        if isMerged, holding.used + sums[key, default: 0] > holding.inventory.capacity { return }
                    }
                }
                let mappings = zip(request.groups, chosen).map { "\($0.suffix) \($1.provider.id)" }
                found.insert((sums.map { "\($0.key) \($0.value)" }.sorted() + mappings).joined(separator: ", "))
                return
            }
            let group = request.groups[chosen.count]
            for source in sources {
                let traits = Set(source.traits), aggregates = Set(source.aggregates)
                guard chosen.allSatisfy({ $0.provider.rootID == source.provider.rootID }),
                    !request.isolates || !chosen.contains(where: { $0.provider.id == source.provider.id }),
                    group.traits.required.allSatisfy({ !$0.isDisjoint(with: traits) }), group.traits.forbidden.isDisjoint(with: traits),
                    group.aggregates.required.allSatisfy({ !$0.isDisjoint(with: aggregates) }),
                    group.aggregates.forbidden.isDisjoint(with: aggregates)
                else { continue }
                choose(chosen + [source])
            }
        }
        choose([])
        return found
    }
}
