import CloudCore

/// All providers as they were at one moment, ready to be searched without a query: places in arrays instead of ids, sets of bits
/// instead of names. It is never changed; what comes later is another one.
struct ProviderIndex: Sendable, Equatable {
    struct Stock: Sendable, Equatable {
        let resourceClass: Int
        let inventory: Inventory
        let used: Int64

        func takes(_ amount: Int64) -> Bool { inventory.portions(amount) && Double(used) + Double(amount) <= inventory.limit }
    }

    struct Entry: Sendable, Equatable {
        let provider: Provider
        var parent: Int?
        var root: Int
        let stocks: [Stock]
        let traits: BitSet
        let traitNames: [String]
        let aggregates: [String]
    }

    /// One provider as the tables have it.
    struct Source: Sendable {
        var provider: Provider
        var inventories: [(inventory: Inventory, used: Int64)] = []
        var traits: [String] = []
        var aggregates: [String] = []
    }

    let entries: [Entry]
    let classNames: [String]
    /// Providers that have some of a class, by the class's number.
    let holders: [[Int]]
    let places: [ID<Provider>: Int]
    private let classNumbers: [String: Int]
    private let traitNumbers: [String: Int]
    private let members: [String: [Int]]
    private let customTraits: Set<String>
    private let customClasses: Set<String>
    /// Providers that share what they have through their aggregates.
    let sharing: [Int]
    let hasTrees: Bool

    init(_ sources: [Source], customClasses: Set<String>, customTraits: Set<String>) {
        var classes: [String: Int] = [:], classNames: [String] = [], holders: [[Int]] = []
        var traits: [String: Int] = [:], members: [String: [Int]] = [:], sharing: [Int] = []
        let places = Dictionary(uniqueKeysWithValues: sources.enumerated().map { ($1.provider.id, $0) })
        entries = sources.enumerated().map { place, source in
            var bits = BitSet()
            for name in source.traits {
                let number = traits[name] ?? traits.count
                traits[name] = number
                bits.insert(number)
                if name == StandardTraits.sharing { sharing.append(place) }
            }
            for aggregate in source.aggregates { members[aggregate, default: []].append(place) }
            let stocks = source.inventories.map { inventory, used in
                let number = classes[inventory.resourceClass] ?? classes.count
                if number == classes.count {
                    classes[inventory.resourceClass] = number
                    classNames.append(inventory.resourceClass)
                    holders.append([])
                }
                holders[number].append(place)
                return Stock(resourceClass: number, inventory: inventory, used: used)
            }
            return Entry(
                provider: source.provider, parent: source.provider.parentID.flatMap { places[$0] },
                root: places[source.provider.rootID] ?? place, stocks: stocks, traits: bits, traitNames: source.traits,
                aggregates: source.aggregates)
        }
        self.places = places
        self.classNames = classNames
        self.holders = holders
        classNumbers = classes
        traitNumbers = traits
        self.members = members
        self.sharing = sharing
        self.customTraits = customTraits
        self.customClasses = customClasses
        hasTrees = sources.contains { $0.provider.parentID != nil }
    }

    // MARK: Looking up

    /// - Returns: nil for a class that no provider has.
    /// - Throws: `Refusal.unknownClass`.
    func number(ofClass name: String) throws -> Int? {
        if let number = classNumbers[name] { return number }
        guard StandardResourceClasses.set.contains(name) || customClasses.contains(name) else { throw Refusal.unknownClass(name) }
        return nil
    }

    /// The traits that some provider has.
    /// - Throws: `Refusal.unknownTraits` for those that do not exist.
    func bits(_ names: Set<String>) throws -> BitSet {
        var bits = BitSet()
        var unknown: [String] = []
        for name in names {
            if let number = traitNumbers[name] {
                bits.insert(number)
            } else if !StandardTraits.set.contains(name), !customTraits.contains(name) {
                unknown.append(name)
            }
        }
        if !unknown.isEmpty { throw Refusal.unknownTraits(unknown.sorted()) }
        return bits
    }

    func stock(of place: Int, _ resourceClass: Int) -> Stock? { entries[place].stocks.first { $0.resourceClass == resourceClass } }

    /// Providers that have so much of a class free, in one tree or in all.
    func places(with amount: Int64, of resourceClass: Int, tree: Int?) -> [Int] {
        holders[resourceClass].filter { place in
            (tree == nil || entries[place].root == tree) && stock(of: place, resourceClass)?.takes(amount) == true
        }
    }

    /// Providers that are in one aggregate of each set.
    func places(inAggregates sets: [Set<String>]) -> Set<Int> {
        var found: Set<Int>?
        for set in sets {
            let some = Set(set.flatMap { members[$0] ?? [] })
            found = found?.intersection(some) ?? some
        }
        return found ?? []
    }

    /// The roots of all trees that a provider shares with.
    func anchors(ofSharing place: Int) -> Set<Int> {
        Set(entries[place].aggregates.flatMap { members[$0] ?? [] }.map { entries[$0].root })
    }

    /// The provider and all above it.
    func ancestors(of place: Int) -> Set<Int> {
        var found: Set<Int> = [place]
        var at = place
        while let parent = entries[at].parent, found.insert(parent).inserted { at = parent }
        return found
    }
}

/// A set of small numbers.
struct BitSet: Sendable, Hashable {
    private var words: [UInt64] = []

    var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    mutating func insert(_ number: Int) {
        while words.count <= number >> 6 { words.append(0) }
        words[number >> 6] |= 1 << UInt64(number & 63)
    }

    func meets(_ other: BitSet) -> Bool { zip(words, other.words).contains { $0 & $1 != 0 } }

    mutating func formUnion(_ other: BitSet) {
        while words.count < other.words.count { words.append(0) }
        for (at, word) in other.words.enumerated() { words[at] |= word }
    }
}

/// A filter of traits in the numbers of one index.
struct TraitBits: Sendable {
    let required: [BitSet]
    let forbidden: BitSet

    /// - Throws: `Refusal.unknownTraits`.
    init(_ filter: TraitFilter, in index: ProviderIndex) throws {
        required = try filter.required.map { try index.bits($0) }
        forbidden = try index.bits(filter.forbidden)
    }

    func allow(_ traits: BitSet) -> Bool { !forbidden.meets(traits) && required.allSatisfy { $0.meets(traits) } }
}
