import CloudCore

/// What a provider has of one class and what is used of it, as the search needs it: nothing but numbers, because there are
/// hundreds of thousands of them.
struct Stock: Sendable, Equatable {
    let resourceClass: Int32
    let total, reserved, minUnit, maxUnit, stepSize: Int32
    let allocationRatio: Double
    let used: Int64

    /// The API takes no amount beyond 2³¹ - 1, so none is cut off.
    init(_ inventory: Inventory, resourceClass: Int32, used: Int64) {
        self.resourceClass = resourceClass
        total = Int32(clamping: inventory.total)
        reserved = Int32(clamping: inventory.reserved)
        minUnit = Int32(clamping: inventory.minUnit)
        maxUnit = Int32(clamping: inventory.maxUnit)
        stepSize = Int32(clamping: inventory.stepSize)
        allocationRatio = inventory.allocationRatio
        self.used = used
    }

    func inventory(of resourceClass: String) -> Inventory {
        Inventory(
            resourceClass: resourceClass, total: Int64(total), reserved: Int64(reserved), minUnit: Int64(minUnit),
            maxUnit: Int64(maxUnit), stepSize: Int64(stepSize), allocationRatio: allocationRatio, updatedAt: Timestamp(microseconds: 0))
    }

    var limit: Double { (Double(total) - Double(reserved)) * allocationRatio }

    /// The limit, cut to a whole number as it is shown.
    var capacity: Int64 { Inventory.whole(limit) }

    /// Whether one consumer can be given so much now.
    func takes(_ amount: Int64) -> Bool {
        amount >= Int64(minUnit) && amount <= Int64(maxUnit) && amount % Int64(stepSize) == 0
            && Double(used) + Double(amount) <= limit
    }

    /// No consumer can be given more than this now. Where it is more than an amount has digits for, only the portions count.
    var room: Int32 {
        let free = limit - Double(used)
        return free >= Double(Int32.max) ? maxUnit : min(maxUnit, max(0, Int32(free.rounded(.down))))
    }
}

/// A provider in its tree.
struct Member: Sendable {
    let id: ID<Kind.Provider>
    let name: String
    let generation: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp
    fileprivate(set) var parentID: ID<Kind.Provider>?
    /// Where in the tree its parent stands; -1 for the root.
    fileprivate(set) var parent: Int32 = -1
    /// The tree's members counted from the root down, each followed by all below it: the first number is its own, the second that
    /// of the last one below it.
    fileprivate(set) var below: ClosedRange<Int32> = 0...0
    let stocks: [Stock]
    /// Sets of the index, by their numbers.
    let traits: Int32
    let aggregates: Int32

    init(_ provider: Provider, stocks: [Stock], traits: Int32, aggregates: Int32) {
        id = provider.id
        name = provider.name
        generation = provider.generation
        createdAt = provider.createdAt
        updatedAt = provider.updatedAt
        parentID = provider.parentID
        self.stocks = stocks
        self.traits = traits
        self.aggregates = aggregates
    }

    func stock(of resourceClass: Int32) -> Stock? { stocks.first { $0.resourceClass == resourceClass } }
}

/// The providers of one tree: the root first, the others in the order in which they were made.
struct ProviderTree: Sendable {
    let members: [Member]
    /// What all members have together, by the numbers of the index's sets of trees.
    var traits: Int32 = 0
    var aggregates: Int32 = 0

    /// Where a tree was.
    static let none = ProviderTree(members: [], root: ID(""))

    init(members: [Member], root: ID<Kind.Provider>) {
        var members = members
        if members.count > 1 {
            members.sort { ($0.id == root ? 0 : 1, $0.createdAt, $0.id) < ($1.id == root ? 0 : 1, $1.createdAt, $1.id) }
            let places = Dictionary(uniqueKeysWithValues: members.enumerated().map { ($1.id, $0) })
            for at in members.indices {
                guard let parent = members[at].parentID.flatMap({ places[$0] }) else { continue }
                members[at].parent = Int32(parent)
                // The parent's own text, so that it is in memory once.
                members[at].parentID = members[parent].id
            }
            Self.count(&members)
        }
        self.members = members
    }

    /// Numbers the members so that it is a comparison of numbers whether one stands below another, however deep the tree is.
    private static func count(_ members: inout [Member]) {
        let children = Dictionary(grouping: members.indices) { members[$0].parent }
        var next: Int32 = 0
        var open = [(at: 0, child: 0)]
        members[0].below = 0...0
        while let (at, child) = open.last {
            guard let more = children[Int32(at)], child < more.count else {
                members[at].below = members[at].below.lowerBound...next
                open.removeLast()
                continue
            }
            open[open.count - 1].child += 1
            next += 1
            members[more[child]].below = next...next
            open.append((more[child], 0))
        }
    }

    func provider(_ at: Int) -> Provider {
        let member = members[at]
        return Provider(
            id: member.id, name: member.name, generation: member.generation, parentID: member.parentID, rootID: members[0].id,
            createdAt: member.createdAt, updatedAt: member.updatedAt)
    }
}
