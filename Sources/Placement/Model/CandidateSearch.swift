import CloudCore

/// One way to place everything in a request.
struct Candidate: Sendable {
    struct Amount: Sendable, Hashable {
        /// The place of the provider in the index that was searched.
        let place: Int
        let resourceClass: Int32
        var amount: Int64
    }

    /// The number of the tree that the candidate belongs to.
    let tree: Int
    var amounts: [Amount]
    /// The providers that serve each group.
    var mappings: [(suffix: String, places: [Int])]
}

struct Candidates: Sendable {
    var requests: [Candidate] = []
    /// The places of all providers to show: those of the candidates' trees, or only the serving ones for a client that
    /// does not know trees.
    var summaries: [Int] = []
    /// The number of trees that were searched.
    var searched = 0
}

/// A search for the candidates of one request, tree by tree, until there are as many as were asked for.
///
/// The result depends only on the index and the request. Most trees are passed over after a look at a few numbers; only
/// trees that may serve the request are searched (`TreeSearch`).
struct CandidateSearch: Sendable {
    /// One group of the request, in the numbers of the index.
    struct Group: Sendable {
        let suffix: String
        let isGranular: Bool
        let needs: [(resourceClass: Int32, amount: Int64)]
        let traits: TraitBits
        let aggregates: AggregateNumbers
        /// The only tree that may serve the group; nil for any.
        let tree: Int?
    }

    let index: ProviderIndex
    let request: CandidateRequest
    /// The groups of the request; nil if some group cannot be served at all.
    private let groups: [Group]?
    private let root: TraitBits

    /// Translates a request into the numbers of the index.
    ///
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
        // The group asks for nothing at all, or for something that no provider has.
        let asksNothing = needs.isEmpty && group.traits.required.isEmpty && group.aggregates.required.isEmpty
        let asksTooMuch =
            known.count < needs.count || traits.required.contains(where: \.isEmpty) || aggregates.required.contains(where: \.isEmpty)
            || group.tree != nil && tree == nil
        if asksNothing || asksTooMuch { return nil }
        return Group(
            suffix: group.suffix, isGranular: group.isGranular, needs: known, traits: traits, aggregates: aggregates, tree: tree)
    }

    /// Whether the search may keep a processor for more than some milliseconds.
    var mayTakeLong: Bool { request.groups.count > 1 || request.limit.map { $0 > 1000 } ?? true && index.chunks.count > 4 }

    func run() -> Candidates {
        guard let groups, !groups.isEmpty else { return Candidates() }
        let search = TreeSearch(index, request, groups)
        var screen = Screen(index, request, groups, root)
        for slot in slots(groups) ?? [] where !search.isFull && screen.passes(slot) { search.look(at: slot) }
        if slots(groups) == nil {
            screen.forEach(from: request.start, until: { search.isFull }) { search.look(at: $0) }
        }
        var candidates = shown(search.found)
        candidates.searched = search.searched
        return candidates
    }

    /// Returns the ways to place the request in one tree.
    func run(inTree slot: Int) -> [Candidate] {
        guard let groups, !groups.isEmpty else { return [] }
        let search = TreeSearch(index, request, groups)
        var screen = Screen(index, request, groups, root)
        if screen.passes(slot) { search.look(at: slot) }
        return search.found
    }

    /// Returns the only trees that can have candidates; nil for all. If a provider of a wanted tree shares its
    /// inventory, it serves other trees too.
    private func slots(_ groups: [Group]) -> Set<Int>? {
        let trees = Set(groups.compactMap(\.tree))
        if trees.isEmpty || index.sharing.contains(where: { trees.contains(ProviderIndex.slot($0)) }) { return nil }
        return trees.count == 1 ? trees : []
    }

    private func shown(_ found: [Candidate]) -> Candidates {
        let places = Set(found.lazy.flatMap { $0.amounts.lazy.map(\.place) })
        // A client that does not know trees is shown only the providers that serve.
        guard request.knowsTrees || !index.hasTrees else { return Candidates(requests: found, summaries: places.sorted()) }
        let slots = Set(places.map(ProviderIndex.slot)).sorted()
        return Candidates(
            requests: found,
            summaries: slots.flatMap { slot in index.tree(slot).members.indices.map { ProviderIndex.place(slot, $0) } })
    }
}

/// The least that a tree must have to hold a candidate. The screen reads columns of numbers, and tests each distinct
/// set of traits or aggregates only once, so it passes over 100,000 trees in a millisecond.
private struct Screen {
    private let index: ProviderIndex
    private let groups: [CandidateSearch.Group]
    private let root: TraitBits
    /// The largest amount of each class that one provider of the tree must have, without classes that some provider
    /// shares.
    private let needs: [(resourceClass: Int, amount: Int64)]
    /// The traits and aggregates of sharing providers, which may come from other trees: only their existence is known
    /// here.
    private let sharedTraits: BitSet
    private let sharedAggregates: [Int32]
    /// The least number of providers in the tree, so that each group that needs a provider of its own gets one.
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

    /// Calls `body` with the number of each tree that passes, until `isFull` returns true. It begins at a tree, and
    /// goes on with the first one after the last.
    mutating func forEach(from start: Int, until isFull: () -> Bool, _ body: (Int) -> Void) {
        let size = ProviderIndex.Chunk.size
        let count = index.chunks.reduce(0) { $0 + $1.trees.count }
        guard count > 0 else { return }
        let (first, offset) = (start % count).quotientAndRemainder(dividingBy: size)
        // The chunk of the start is visited twice: from the start on, and at the end up to it.
        for round in 0...index.chunks.count where !isFull() {
            let number = (first + round) % index.chunks.count
            let range = round == 0 ? offset..<size : round == index.chunks.count ? 0..<offset : 0..<size
            forEach(inChunk: number, range.clamped(to: index.chunks[number].trees.indices), until: isFull, body)
        }
    }

    private mutating func forEach(
        inChunk number: Int, _ range: Range<Int>, until isFull: () -> Bool, _ body: (Int) -> Void
    ) {
        let chunk = index.chunks[number]
        var columns: [(amount: Int64, rooms: [Int32])] = []
        for need in needs {
            guard need.resourceClass < chunk.rooms.count, !chunk.rooms[need.resourceClass].isEmpty else { return }
            columns.append((need.amount, chunk.rooms[need.resourceClass]))
        }
        for at in range {
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

    /// Returns whether a tree has enough members and whether its traits allow the request: those of the root and, in a
    /// tree of one provider without sharing providers, all of them.
    private mutating func allowMembers(_ tree: ProviderTree) -> Bool {
        guard let first = tree.members.first, tree.members.count >= leastMembers else { return false }
        if let known = alone[Int(first.traits)] { return known || tree.members.count > 1 && root.allow(index.traitSets[first.traits]) }
        let has = index.traitSets[first.traits]
        let allows = root.allow(has) && (!index.sharing.isEmpty || groups.allSatisfy { $0.traits.allow(has) })
        alone[Int(first.traits)] = allows
        return allows || tree.members.count > 1 && root.allow(has)
    }
}
