package import CloudCore

/// Something that has resources: a host, a part of a host, a pool that hosts share. Providers form trees.
package struct Provider: Sendable, Equatable {
    package var id: ID<Kind.Provider>
    package var name: String
    /// The generation of the provider. It grows with each change of its resources or allocations; a caller that changes
    /// the provider names the generation that it has seen.
    package var generation: Int
    package var parentID: ID<Kind.Provider>?
    /// The root of the tree; the provider itself if it has no parent.
    package var rootID: ID<Kind.Provider>
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// The amount of one resource class that a provider has, and the portions in which it gives it.
package struct Inventory: Sendable, Equatable {
    package var resourceClass: String
    package var total: Int64
    package var reserved: Int64
    package var minUnit: Int64
    package var maxUnit: Int64
    package var stepSize: Int64
    package var allocationRatio: Double
    package var updatedAt: Timestamp

    /// - Parameter updatedAt: the time from the row; a write ignores it and stores its own time.
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

    /// The largest amount that the API accepts (2³¹ - 1).
    package static let most: Int64 = 0x7fff_ffff  // tidy: allow bound, the range of a number

    /// The amount that can be allocated, not rounded. Used amounts are compared with it.
    var limit: Double { Double(total - reserved) * allocationRatio }

    /// The limit cut to a whole number, as the API shows it.
    var capacity: Int64 { Self.whole(limit) }

    static func whole(_ limit: Double) -> Int64 { limit >= 9e18 ? .max : limit <= -9e18 ? .min : Int64(limit) }

    /// Returns whether the inventory allows an amount as a portion.
    func portions(_ amount: Int64) -> Bool { amount >= minUnit && amount <= maxUnit && amount % stepSize == 0 }
}

/// A user of resources: a server, a migration, a volume.
package struct Consumer: Sendable, Equatable {
    var id: ID<Kind.Consumer>
    var projectID: String
    var userID: String
    /// The type; nil for consumers that were made before types existed, which are shown as `unknown`.
    var type: String?
    var generation: Int
}

/// An amount of one class that a consumer holds of a provider.
struct Allocation: Sendable, Equatable {
    var consumerID: ID<Kind.Consumer>
    var providerID: ID<Kind.Provider>
    var resourceClass: String
    var used: Int64
    var createdAt: Timestamp
}
