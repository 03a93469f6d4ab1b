package import CloudCore
import HostModel

/// What is known of a host: what its agent said last, and when.
package struct HostFacts: StoredValue, Hashable {
    package static let storedName = "fleet.host"

    /// As operators know it. For ever: rows name the host by it.
    package var name: String
    /// A UUID.
    package var id: String
    package var bootedAt: Timestamp
    package var seenAt: Timestamp
    var inventory: HostInventory

    init(name: String, id: String, bootedAt: Timestamp, seenAt: Timestamp, inventory: HostInventory) {
        self.name = name
        self.id = id
        self.bootedAt = bootedAt
        self.seenAt = seenAt
        self.inventory = inventory
    }

    /// Two looks of an agent may be missed.
    package static let patience: Duration = .seconds(75)

    package func isUp(at now: Timestamp) -> Bool { seenAt + Self.patience > now }
}
