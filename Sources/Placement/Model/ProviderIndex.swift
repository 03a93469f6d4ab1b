import CloudCore

/// A snapshot of all providers, ready to be searched without a query: numbers instead of names, and trees in chunks.
///
/// The index is a value. `following` makes the next one, which shares all chunks with this one except those of changed
/// trees. So a running search keeps the state in which it began.
struct ProviderIndex: Sendable {
    /// One provider as the tables have it.
    struct Source: Sendable, Equatable {
        struct Holding: Sendable, Equatable {
            var inventory: Inventory
            var used: Int64
        }

        var provider: Provider
        var inventories: [Holding] = []
        var traits: [String] = []
        var aggregates: [String] = []
    }

    /// The names that operators have made.
    struct CustomNames: Sendable, Equatable {
        var classes: Set<String> = []
        var traits: Set<String> = []
    }

    /// A number of trees, with the values that a search compares for all of them in columns of numbers.
    struct Chunk: Sendable {
        static let size = 256
        var trees: [ProviderTree] = []
        /// The most that one provider of a tree can give to one consumer, by class and tree. Empty for a class of which
        /// no tree of the chunk has anything.
        var rooms: [[Int32]] = []
    }

    private(set) var chunks: [Chunk] = []
    private(set) var classes = Numbering<String>()
    private(set) var traits = Numbering<String>()
    private(set) var aggregates = Numbering<String>()
    /// The sets of traits and aggregates of single providers, and the sets of traits of whole trees.
    private(set) var traitSets = Numbering<BitSet>()
    private(set) var treeTraitSets = Numbering<BitSet>()
    private(set) var aggregateSets = Numbering<[Int32]>()
    /// The names of a set's traits in the order in which they are shown, by the number of the set.
    private var traitNames: [[String]] = []
    /// The places of providers that share their inventory through their aggregates.
    private(set) var sharing: [Int] = []
    private var custom: CustomNames
    private var slots = PiecedDictionary<ID<Kind.Provider>, Int32>()
    private var free: [Int32] = []
    private var treesWithChildren = 0
    private var namesWhenMade = 0

    /// Whether some provider stands below another.
    var hasTrees: Bool { treesWithChildren > 0 }

    /// A builder of an index from all providers. It takes them in batches, so that they are not in memory in two forms
    /// at once.
    struct Builder {
        private var index: ProviderIndex
        private var members: [(root: ID<Kind.Provider>, member: Member)] = []

        init(custom: CustomNames) { index = ProviderIndex(custom: custom) }

        mutating func add(_ sources: [Source]) {
            for source in sources { members.append((source.provider.rootID, index.member(source))) }
        }

        /// Returns the index. Trees come in the order in which their first providers were made.
        consuming func finish() -> ProviderIndex {
            members.sort { ($0.member.createdAt, $0.member.id) < ($1.member.createdAt, $1.member.id) }
            var byRoot: [ID<Kind.Provider>: Int] = [:], trees: [(root: ID<Kind.Provider>, members: [Member])] = []
            for (root, member) in members {
                if let at = byRoot[root] {
                    trees[at].members.append(member)
                } else {
                    byRoot[root] = trees.count
                    trees.append((root, [member]))
                }
            }
            members = []
            for tree in trees { index.put(ProviderTree(members: tree.members, root: tree.root), at: index.nextSlot()) }
            index.namesWhenMade = index.countOfNames
            return index
        }
    }

    private init(custom: CustomNames) {
        self.custom = custom
        _ = traitSet([])
        _ = treeTraitSets.number(of: BitSet())
        _ = aggregateSets.number(of: [])
    }

    init(_ sources: [Source], custom: CustomNames) {
        var builder = Builder(custom: custom)
        builder.add(sources)
        self = builder.finish()
    }

    // MARK: Following the tables

    /// Returns the next state, after the touched providers were read again. Touched providers that were not found are
    /// gone.
    ///
    /// - Parameter names: the names of operators; nil if none was added or removed.
    func following(_ touched: Set<ID<Kind.Provider>>, found: [Source], names: CustomNames?) -> ProviderIndex {
        var next = self
        if let names { next.custom = names }
        next.replace(touched, with: found)
        // Values that no provider has any more keep their numbers. Too many of them would be a leak, so the index is
        // rebuilt.
        guard next.countOfNames > 2 * namesWhenMade + 10_000 else { return next }
        return ProviderIndex(next.sources, custom: next.custom)
    }

    private var countOfNames: Int {
        classes.values.count + traits.values.count + aggregates.values.count + traitSets.values.count + treeTraitSets.values.count
            + aggregateSets.values.count
    }

    private mutating func replace(_ touched: Set<ID<Kind.Provider>>, with found: [Source]) {
        var changed = Set(touched.compactMap { slots[$0] })
        changed.formUnion(found.compactMap { slots[$0.provider.rootID] })
        var byRoot: [ID<Kind.Provider>: [Member]] = [:]
        var kept: [ID<Kind.Provider>: Int32] = [:]
        var gone: Set<ID<Kind.Provider>> = []
        for slot in changed {
            let members = tree(Int(slot)).members
            kept[members[0].id] = slot
            for member in members {
                gone.insert(member.id)
                // A member that moved to another tree was touched, and so were all members below it.
                if !touched.contains(member.id) { byRoot[members[0].id, default: []].append(member) }
            }
        }
        for source in found { byRoot[source.provider.rootID, default: []].append(member(source)) }
        for (root, slot) in kept.sorted(by: { $0.value < $1.value }) where byRoot[root] == nil {
            put(.none, at: Int(slot))
            free.append(slot)
        }
        for (root, members) in byRoot.sorted(by: { $0.key < $1.key }) {
            for member in members { gone.remove(member.id) }
            put(ProviderTree(members: members, root: root), at: kept[root].map { Int($0) } ?? nextSlot())
        }
        for id in gone { slots[id] = nil }
    }

    private mutating func nextSlot() -> Int {
        if let slot = free.popLast() { return Int(slot) }
        if chunks.last.map({ $0.trees.count == Chunk.size }) ?? true { chunks.append(Chunk()) }
        let last = chunks.count - 1
        chunks[last].trees.append(.none)
        for number in chunks[last].rooms.indices where !chunks[last].rooms[number].isEmpty { chunks[last].rooms[number].append(0) }
        return last * Chunk.size + chunks[last].trees.count - 1
    }

    private mutating func put(_ tree: ProviderTree, at slot: Int) {
        var tree = tree
        let (number, at) = slot.quotientAndRemainder(dividingBy: Chunk.size)
        if chunks[number].trees[at].members.count > 1 { treesWithChildren -= 1 }
        if tree.members.count > 1 { treesWithChildren += 1 }
        tree.traits = treeTraits(tree)
        tree.aggregates = treeAggregates(tree)
        for class_ in chunks[number].rooms.indices where !chunks[number].rooms[class_].isEmpty { chunks[number].rooms[class_][at] = 0 }
        for stock in tree.members.lazy.flatMap(\.stocks) {
            let class_ = Int(stock.resourceClass)
            while chunks[number].rooms.count <= class_ { chunks[number].rooms.append([]) }
            if chunks[number].rooms[class_].isEmpty {
                chunks[number].rooms[class_] = [Int32](repeating: 0, count: chunks[number].trees.count)
            }
            chunks[number].rooms[class_][at] = max(chunks[number].rooms[class_][at], stock.room)
        }
        chunks[number].trees[at] = tree
        for member in tree.members where slots[member.id] != Int32(slot) { slots[member.id] = Int32(slot) }
        let shares = traits.find(StandardTraits.sharing).map { number in
            tree.members.indices.filter { at in
                var bits = BitSet()
                bits.insert(number)
                return traitSets[tree.members[at].traits].meets(bits)
            }
        }
        if !sharing.isEmpty { sharing.removeAll { Self.slot($0) == slot } }
        for at in shares ?? [] { sharing.append(Self.place(slot, at)) }
    }

    private mutating func member(_ source: Source) -> Member {
        Member(
            source.provider,
            stocks: source.inventories.map { Stock($0.inventory, resourceClass: classes.number(of: $0.inventory.resourceClass), used: $0.used) },
            traits: traitSet(source.traits), aggregates: aggregateSets.number(of: source.aggregates.map { aggregates.number(of: $0) }.sorted()))
    }

    private mutating func traitSet(_ names: [String]) -> Int32 {
        var bits = BitSet()
        for name in names { bits.insert(traits.number(of: name)) }
        let number = traitSets.number(of: bits)
        if number == traitNames.count { traitNames.append(StandardTraits.ordered(names)) }
        return number
    }

    private mutating func treeTraits(_ tree: ProviderTree) -> Int32 {
        var bits = BitSet()
        for member in tree.members { bits.formUnion(traitSets[member.traits]) }
        return treeTraitSets.number(of: bits)
    }

    private mutating func treeAggregates(_ tree: ProviderTree) -> Int32 {
        if tree.members.count == 1 { return tree.members[0].aggregates }
        return aggregateSets.number(of: Set(tree.members.flatMap { aggregateSets[$0.aggregates] }).sorted())
    }

    /// The providers of which the index was made, in the order of ids; only the times of inventories are lost.
    var sources: [Source] {
        trees.flatMap { _, tree in
            tree.members.indices.map { at in
                let member = tree.members[at]
                return Source(
                    provider: tree.provider(at),
                    inventories: member.stocks.map { .init(inventory: $0.inventory(of: classes[$0.resourceClass]), used: $0.used) },
                    traits: traitNames(of: member), aggregates: aggregateSets[member.aggregates].map { aggregates[$0] }.sorted())
            }
        }.sorted { $0.provider.id < $1.provider.id }
    }

    // MARK: Places

    /// Returns a place: the number of a tree and that of a member of it, combined in one number.
    static func place(_ slot: Int, _ member: Int) -> Int { slot << 20 | member }
    static func slot(_ place: Int) -> Int { place >> 20 }
    static func position(_ place: Int) -> Int { place & (1 << 20 - 1) }

    func tree(_ slot: Int) -> ProviderTree { chunks[slot / Chunk.size].trees[slot % Chunk.size] }
    func slot(of id: ID<Kind.Provider>) -> Int? { slots[id].map { Int($0) } }
    func member(_ place: Int) -> Member { tree(Self.slot(place)).members[Self.position(place)] }
    func id(_ place: Int) -> ID<Kind.Provider> { tree(Self.slot(place)).members[Self.position(place)].id }
    func provider(_ place: Int) -> Provider { tree(Self.slot(place)).provider(Self.position(place)) }
    func traitNames(of member: Member) -> [String] { traitNames[Int(member.traits)] }

    /// All trees with their numbers.
    var trees: some Sequence<(slot: Int, tree: ProviderTree)> {
        chunks.lazy.enumerated().flatMap { number, chunk in
            chunk.trees.lazy.enumerated().map { at, tree in (slot: number * Chunk.size + at, tree: tree) }
        }.filter { !$0.tree.members.isEmpty }
    }

    var isEmpty: Bool { !trees.contains { _ in true } }

    /// Returns whether all places are in one tree and below one of them.
    func areBelowOne(_ places: Set<Int>) -> Bool {
        guard places.count > 1 else { return true }
        guard Set(places.map(Self.slot)).count == 1, let slot = places.first.map(Self.slot) else { return false }
        let members = tree(slot).members
        let ranges = places.map { members[Self.position($0)].below }
        // A provider that all others are below has a lower number than they.
        guard let top = ranges.min(by: { $0.lowerBound < $1.lowerBound }) else { return true }
        return ranges.allSatisfy { $0.lowerBound <= top.upperBound }
    }

    // MARK: Names

    /// Returns the number of a resource class; nil for a class that no provider has.
    ///
    /// - Throws: `Refusal.unknownClass`.
    func number(ofClass name: String) throws -> Int32? {
        if let number = classes.find(name), isKnown(class: name) { return number }
        guard isKnown(class: name) else { throw Refusal.unknownClass(name) }
        return nil
    }

    private func isKnown(class name: String) -> Bool { StandardResourceClasses.set.contains(name) || custom.classes.contains(name) }

    /// Returns the given traits as a set, without those that no provider has.
    ///
    /// - Throws: `Refusal.unknownTraits` for traits that do not exist.
    func bits(_ names: Set<String>) throws -> BitSet {
        let unknown = names.filter { !StandardTraits.set.contains($0) && !custom.traits.contains($0) }
        if !unknown.isEmpty { throw Refusal.unknownTraits(unknown.sorted()) }
        var bits = BitSet()
        for name in names { if let number = traits.find(name) { bits.insert(number) } }
        return bits
    }
}

/// A filter of traits in the numbers of one index.
struct TraitBits: Sendable {
    let required: [BitSet]
    let forbidden: BitSet

    /// Translates a filter of traits.
    ///
    /// - Throws: `Refusal.unknownTraits`.
    init(_ filter: TraitFilter, in index: ProviderIndex) throws {
        required = try filter.required.map { try index.bits($0) }
        forbidden = try index.bits(filter.forbidden)
    }

    func allow(_ traits: BitSet) -> Bool { !forbidden.meets(traits) && required.allSatisfy { $0.meets(traits) } }
}

/// A filter of aggregates in the numbers of one index.
struct AggregateNumbers: Sendable {
    let required: [Set<Int32>]
    let forbidden: Set<Int32>

    init(_ filter: AggregateFilter, in index: ProviderIndex) {
        required = filter.required.map { Set($0.compactMap { index.aggregates.find($0) }) }
        forbidden = Set(filter.forbidden.compactMap { index.aggregates.find($0) })
    }

    /// Returns whether a provider in these aggregates is in at least one of each required set.
    func include(_ numbers: [Int32]) -> Bool { required.allSatisfy { set in numbers.contains { set.contains($0) } } }

    func forbid(_ numbers: [Int32]) -> Bool { !forbidden.isEmpty && numbers.contains { forbidden.contains($0) } }
}

extension ProviderIndex {
    /// Returns the providers that match a query, in the order in which they were made.
    ///
    /// - Throws: `Refusal.unknownClass`, `.unknownTraits`.
    func providers(_ query: ProviderQuery) throws -> [Provider] {
        let traits = try TraitBits(query.traits, in: self)
        let needs = try query.resources.map { (try number(ofClass: $0.resourceClass), $0.amount) }
        let aggregates = AggregateNumbers(query.aggregates, in: self)
        var wanted: Set<Int>?
        for id in [query.id, query.tree].compactMap({ $0 }) {
            guard let slot = slot(of: id), wanted?.contains(slot) ?? true else { return [] }
            wanted = [slot]
        }
        // Numbers are sorted instead of whole providers: sorting those would cost many times the search.
        var found: [(createdAt: Timestamp, slot: Int, at: Int)] = []
        func look(_ slot: Int, _ tree: ProviderTree) {
            for (at, member) in tree.members.enumerated() {
                guard query.id == nil || query.id == member.id, query.name == nil || query.name == member.name,
                    traits.allow(traitSets[member.traits]), aggregates.include(aggregateSets[member.aggregates]),
                    !aggregates.forbid(aggregateSets[member.aggregates]),
                    needs.allSatisfy({ number, amount in number.flatMap { member.stock(of: $0) }?.takes(amount) ?? false })
                else { continue }
                found.append((member.createdAt, slot, at))
            }
        }
        if let wanted { for slot in wanted { look(slot, tree(slot)) } } else { for (slot, tree) in trees { look(slot, tree) } }
        found.sort { one, other in
            guard one.createdAt == other.createdAt else { return one.createdAt < other.createdAt }
            return tree(one.slot).members[one.at].id < tree(other.slot).members[other.at].id
        }
        return found.map { tree($0.slot).provider($0.at) }
    }
}
