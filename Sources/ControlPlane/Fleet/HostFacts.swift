package import CloudCore
import HostModel

/// The facts about a host: its agent's last inventory, and the time when it came.
package struct HostFacts: StoredValue, Hashable {
    package static let storedName = "fleet.host"

    /// The name that operators see. It never changes, because rows name the host by it.
    package var name: String
    /// The host's UUID.
    package var id: String
    package var bootedAt: Timestamp
    package var seenAt: Timestamp
    var inventory: HostInventory

    /// The time for which a host counts as up after its last report. An agent may miss two reports.
    package static let patience: Duration = .seconds(75)

    package func isUp(at now: Timestamp) -> Bool { seenAt + Self.patience > now }
}
