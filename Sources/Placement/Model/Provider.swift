import CloudCore

/// Something that has resources: a host, a part of one, a pool that hosts share. Providers stand in trees.
struct Provider: Sendable, Equatable {
    var id: ID<Provider>
    var name: String
    /// Grows with every change of what the provider has or gives away; who changes it names the one that was seen.
    var generation: Int
    var parentID: ID<Provider>?
    /// The provider itself when it has no parent.
    var rootID: ID<Provider>
    var createdAt: Timestamp
    var updatedAt: Timestamp
}

/// How much of one resource class a provider has, and in which portions it gives it away.
struct Inventory: Sendable, Equatable {
    var resourceClass: String
    var total: Int64
    var reserved: Int64 = 0
    var minUnit: Int64 = 1
    var maxUnit: Int64 = Inventory.most
    var stepSize: Int64 = 1
    var allocationRatio: Double = 1
    var updatedAt: Timestamp

    /// The largest amount that the API takes (2³¹ - 1).
    static let most: Int64 = 0x7fff_ffff

    /// What can be given away, not rounded: what is used is compared with this.
    var limit: Double { Double(total - reserved) * allocationRatio }

    /// The limit, cut to a whole number as it is shown.
    var capacity: Int64 { Self.whole(limit) }

    static func whole(_ limit: Double) -> Int64 { limit >= 9e18 ? .max : limit <= -9e18 ? .min : Int64(limit) }

    /// Whether an amount is a portion that can be asked for at all.
    func portions(_ amount: Int64) -> Bool { amount >= minUnit && amount <= maxUnit && amount % stepSize == 0 }
}

/// Who uses resources: a server, a migration, a volume.
struct Consumer: Sendable, Equatable {
    var id: ID<Consumer>
    var projectID: String
    var userID: String
    /// Nil for consumers that were made before there were types; shown as `unknown`.
    var type: String?
    var generation: Int
}

/// An amount of one class that a consumer has of a provider.
struct Allocation: Sendable, Equatable {
    var consumerID: ID<Consumer>
    var providerID: ID<Provider>
    var resourceClass: String
    var used: Int64
    var createdAt: Timestamp
}
