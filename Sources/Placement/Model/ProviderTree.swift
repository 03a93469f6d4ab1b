import CloudCore

/// The inventory of one class and the amount that is used of it, as the search needs it. It has only numbers, because
/// there are hundreds of thousands of stocks.
struct Stock: Sendable, Equatable {
    let resourceClass: Int32
    let total, reserved, minUnit, maxUnit, stepSize: Int32
    let allocationRatio: Double
    let used: Int64

    /// Converts an inventory. The API accepts no amount above 2³¹ - 1, so no amount is cut.
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

    /// The limit cut to a whole number, as the API shows it.
    var capacity: Int64 { Inventory.whole(limit) }

    /// Returns whether one consumer can be given this amount now.
    func takes(_ amount: Int64) -> Bool {
        amount >= Int64(minUnit) && amount <= Int64(maxUnit) && amount % Int64(stepSize) == 0
            && Double(used) + Double(amount) <= limit
    }

    /// An upper bound of what one consumer can be given now. If more is free than the number can hold, the largest
    /// portion is the bound.
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
    /// The position of the parent in the tree; -1 for the root.
    fileprivate(set) var parent: Int32 = -1
    /// The members of the tree are numbered from the root down, each before all members below it. The range goes from
    /// the member's own number to that of the last member below it.
    fileprivate(set) var below: ClosedRange<Int32> = 0...0
    let stocks: [Stock]
    /// The numbers of the member's sets in the index.
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
    /// The numbers of the sets that all members have together, among the index's sets.
    var traits: Int32 = 0
    var aggregates: Int32 = 0

    /// The empty tree, in place of a tree that is gone.
    static let none = ProviderTree(members: [], root: ID(""))

    init(members: [Member], root: ID<Kind.Provider>) {
        var members = members
        if members.count > 1 {
            members.sort { ($0.id == root ? 0 : 1, $0.createdAt, $0.id) < ($1.id == root ? 0 : 1, $1.createdAt, $1.id) }
            let places = Dictionary(uniqueKeysWithValues: members.enumerated().map { ($1.id, $0) })
            for at in members.indices {
                guard let parent = members[at].parentID.flatMap({ places[$0] }) else { continue }
                members[at].parent = Int32(parent)
                // The text of the parent is shared, so that it is in memory once.
                members[at].parentID = members[parent].id
            }
            Self.count(&members)
        }
        self.members = members
    }

    /// Numbers the members, so that a comparison of numbers tells whether one is below another, however deep the tree
    /// is.
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
