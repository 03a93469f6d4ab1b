package import CloudCore

/// Something that has resources: a host, a part of one, a pool that hosts share. Providers stand in trees.
package struct Provider: Sendable, Equatable {
    package var id: ID<Kind.Provider>
    package var name: String
    /// Grows with every change of what the provider has or gives away; who changes it names the one that was seen.
    package var generation: Int
    package var parentID: ID<Kind.Provider>?
    /// The provider itself when it has no parent.
    package var rootID: ID<Kind.Provider>
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// How much of one resource class a provider has, and in which portions it gives it away.
package struct Inventory: Sendable, Equatable {
    package var resourceClass: String
    package var total: Int64
    package var reserved: Int64
    package var minUnit: Int64
    package var maxUnit: Int64
    package var stepSize: Int64
    package var allocationRatio: Double
    package var updatedAt: Timestamp

    /// - Parameter updatedAt: for what was read from a row; what is written has the time of the writing.
    package init(
        resourceClass: String, total: Int64, reserved: Int64 = 0, minUnit: Int64 = 1, maxUnit: Int64 = Inventory.most,
        stepSize: Int64 = 1, allocationRatio: Double = 1, updatedAt: Timestamp = Timestamp(microseconds: 0)
    ) {
        self.resourceClass = resourceClass
        self.total = total
        self.reserved = reserved
        self.minUnit = minUnit
        self.maxUnit = maxUnit
        self.stepSize = stepSize
        self.allocationRatio = allocationRatio
        self.updatedAt = updatedAt
    }

    /// The largest amount that the API takes (2³¹ - 1).
    package static let most: Int64 = 0x7fff_ffff

    /// What can be given away, not rounded: what is used is compared with this.
    var limit: Double { Double(total - reserved) * allocationRatio }

    /// The limit, cut to a whole number as it is shown.
    var capacity: Int64 { Self.whole(limit) }

    static func whole(_ limit: Double) -> Int64 { limit >= 9e18 ? .max : limit <= -9e18 ? .min : Int64(limit) }

    /// Whether an amount is a portion that can be asked for at all.
    func portions(_ amount: Int64) -> Bool { amount >= minUnit && amount <= maxUnit && amount % stepSize == 0 }
}

/// Who uses resources: a server, a migration, a volume.
package struct Consumer: Sendable, Equatable {
    var id: ID<Kind.Consumer>
    var projectID: String
    var userID: String
    /// Nil for consumers that were made before there were types; shown as `unknown`.
    var type: String?
    var generation: Int
}

/// An amount of one class that a consumer has of a provider.
struct Allocation: Sendable, Equatable {
    var consumerID: ID<Kind.Consumer>
    var providerID: ID<Kind.Provider>
    var resourceClass: String
    var used: Int64
    var createdAt: Timestamp
}
