import CloudCore

/// One way to place everything that was asked for.
struct Candidate: Sendable {
    struct Amount: Sendable, Hashable {
        /// Of the provider, in the index that was searched.
        let place: Int
        let resourceClass: Int32
        var amount: Int64
    }

    /// The number of the tree that it stands in.
    let tree: Int
    var amounts: [Amount]
    /// Which providers serve which group.
    var mappings: [(suffix: String, places: [Int])]
}

struct Candidates: Sendable {
    var requests: [Candidate] = []
    /// Every provider of the trees that the candidates stand in.
    var summaries: [Int] = []
}

/// Finds the candidates of one request, tree by tree, until there are as many as were asked for.
///
/// A function of the index and the request, and of nothing else. Most trees are passed over by a look at a few numbers; only
/// those that may serve the request are searched (`TreeSearch`).
struct CandidateSearch: Sendable {
    /// One group in the numbers of the index.
    struct Group: Sendable {
        let suffix: String
        let isGranular: Bool
        let needs: [(resourceClass: Int32, amount: Int64)]
        let traits: TraitBits
        let aggregates: AggregateNumbers
        /// The tree that alone may serve it.
        let tree: Int?
    }

    let index: ProviderIndex
    let request: CandidateRequest
    /// Nil when some group cannot be served by anybody.
    private let groups: [Group]?
    private let root: TraitBits

    /// - Throws: `Refusal.unknownClass`, `.unknownTraits`.
    init(_ request: CandidateRequest, in index: ProviderIndex) throws {
        self.index = index
        self.request = request
        root = try TraitBits(request.root, in: index)
        let groups = try request.groups.map { try Self.group($0, in: index) }
        self.groups = groups.contains { $0 == nil } ? nil : groups.compactMap { $0 }
    }

    private static func group(_ group: RequestGroup, in index: ProviderIndex) throws -> Group? {
        let needs = try group.resources.map { (resourceClass: try index.number(ofClass: $0.resourceClass), amount: $0.amount) }
        let known = needs.compactMap { need in need.resourceClass.map { (resourceClass: $0, amount: need.amount) } }
        let traits = try TraitBits(group.traits, in: index)
        let aggregates = AggregateNumbers(group.aggregates, in: index)
        let tree = group.tree.flatMap { index.slot(of: $0) }
        // A group that asks for nothing at all, or for what nobody has.
        let asksNothing = needs.isEmpty && group.traits.required.isEmpty && group.aggregates.required.isEmpty
        let asksTooMuch =
            known.count < needs.count || traits.required.contains(where: \.isEmpty) || aggregates.required.contains(where: \.isEmpty)
            || group.tree != nil && tree == nil
        if asksNothing || asksTooMuch { return nil }
        return Group(
            suffix: group.suffix, isGranular: group.isGranular, needs: known, traits: traits, aggregates: aggregates, tree: tree)
    }

    /// Whether it may keep a processor for more than some milliseconds.
    var mayTakeLong: Bool { request.groups.count > 1 || request.limit.map { $0 > 1000 } ?? true && index.chunks.count > 4 }

    func run() -> Candidates {
        guard let groups, !groups.isEmpty else { return Candidates() }
        let search = TreeSearch(index, request, groups)
        var screen = Screen(index, request, groups, root)
        for slot in slots(groups) ?? [] where !search.isFull && screen.passes(slot) { search.look(at: slot) }
        if slots(groups) == nil { screen.forEach(until: { search.isFull }) { search.look(at: $0) } }
        return shown(search.found)
    }

    /// The trees that alone can have candidates; nil for all. A provider that shares what it has serves other trees too.
    private func slots(_ groups: [Group]) -> Set<Int>? {
        let trees = Set(groups.compactMap(\.tree))
        if trees.isEmpty || index.sharing.contains(where: { trees.contains(ProviderIndex.slot($0)) }) { return nil }
        return trees.count == 1 ? trees : []
    }

    private func shown(_ found: [Candidate]) -> Candidates {
        let places = Set(found.lazy.flatMap { $0.amounts.lazy.map(\.place) })
        // Who does not know trees is shown no provider but those that serve.
        guard request.knowsTrees || !index.hasTrees else { return Candidates(requests: found, summaries: places.sorted()) }
        let slots = Set(places.map(ProviderIndex.slot)).sorted()
        return Candidates(
            requests: found,
            summaries: slots.flatMap { slot in index.tree(slot).members.indices.map { ProviderIndex.place(slot, $0) } })
    }
}

/// What a tree must have at least, or no candidate can stand in it. It asks columns of numbers, and each distinct set of traits
/// or aggregates once, so that 100,000 trees are passed over in a millisecond.
private struct Screen {
    private let index: ProviderIndex
    private let groups: [CandidateSearch.Group]
    private let root: TraitBits
    /// The most that one provider of the tree must have of a class, except for classes that somebody shares.
    private let needs: [(resourceClass: Int, amount: Int64)]
    /// What comes from other trees: nothing is known of it but that there is some of it.
    private let sharedTraits: BitSet
    private let sharedAggregates: [Int32]
    /// Providers that the tree must have, so that each group that is to have its own gets one.
    private let leastMembers: Int
    private var traits: [Bool?]
    private var aggregates: [Bool?]
    private var alone: [Bool?]

    init(_ index: ProviderIndex, _ request: CandidateRequest, _ groups: [CandidateSearch.Group], _ root: TraitBits) {
        self.index = index
        self.groups = groups
        self.root = root
        let sharers = index.sharing.map { index.member($0) }
        let shared = Set(sharers.flatMap { $0.stocks.map(\.resourceClass) })
        let needs = Dictionary(groups.flatMap(\.needs).map { ($0.resourceClass, $0.amount) }, uniquingKeysWith: max)
        self.needs = needs.filter { !shared.contains($0.key) }.sorted { $0.key < $1.key }.map { (Int($0.key), $0.value) }
        sharedTraits = sharers.reduce(into: BitSet()) { $0.formUnion(index.traitSets[$1.traits]) }
        sharedAggregates = Set(sharers.flatMap { index.aggregateSets[$0.aggregates] }).sorted()
        leastMembers = request.isolates && sharers.isEmpty ? max(1, groups.count(where: \.isGranular)) : 1
        traits = Array(repeating: nil, count: index.treeTraitSets.values.count)
        aggregates = Array(repeating: nil, count: index.aggregateSets.values.count)
        alone = Array(repeating: nil, count: index.traitSets.values.count)
    }

    /// Calls `body` with every tree that passes.
    mutating func forEach(until isFull: () -> Bool, _ body: (Int) -> Void) {
        for (number, chunk) in index.chunks.enumerated() {
            var columns: [(amount: Int64, rooms: [Int32])] = []
            for need in needs {
                guard need.resourceClass < chunk.rooms.count, !chunk.rooms[need.resourceClass].isEmpty else { break }
                columns.append((need.amount, chunk.rooms[need.resourceClass]))
            }
            guard columns.count == needs.count else { continue }
            for at in chunk.trees.indices {
                var fits = true
                for column in columns where Int64(column.rooms[at]) < column.amount {
                    fits = false
                    break
                }
                guard fits, passes(chunk.trees[at]) else { continue }
                body(number * ProviderIndex.Chunk.size + at)
                if isFull() { return }
            }
        }
    }

    mutating func passes(_ slot: Int) -> Bool { passes(index.tree(slot)) }

    private mutating func passes(_ tree: ProviderTree) -> Bool {
        allowTraits(tree.traits) && allowAggregates(tree.aggregates) && allowMembers(tree)
    }

    private mutating func allowTraits(_ number: Int32) -> Bool {
        if let known = traits[Int(number)] { return known }
        let has = index.treeTraitSets[number]
        let allows = groups.allSatisfy { $0.traits.required.allSatisfy { $0.meets(has) || $0.meets(sharedTraits) } }
        traits[Int(number)] = allows
        return allows
    }

    private mutating func allowAggregates(_ number: Int32) -> Bool {
        if let known = aggregates[Int(number)] { return known }
        let has = index.aggregateSets[number] + sharedAggregates
        let allows = groups.allSatisfy { $0.aggregates.include(has) }
            && (!index.sharing.isEmpty || groups.allSatisfy { !$0.aggregates.forbid(has) } || index.hasTrees)
        aggregates[Int(number)] = allows
        return allows
    }

    /// The traits of the root, and of the one provider that there is where nothing stands below it and nobody shares.
    private mutating func allowMembers(_ tree: ProviderTree) -> Bool {
        guard let first = tree.members.first, tree.members.count >= leastMembers else { return false }
        if let known = alone[Int(first.traits)] { return known || tree.members.count > 1 && root.allow(index.traitSets[first.traits]) }
        let has = index.traitSets[first.traits]
        let allows = root.allow(has) && (!index.sharing.isEmpty || groups.allSatisfy { $0.traits.allow(has) })
        alone[Int(first.traits)] = allows
        return allows || tree.members.count > 1 && root.allow(has)
    }
}
