import CloudCore
import HostModel

/// A snapshot of a simulated host.
struct SimulatedSnapshot: StoredValue {
    static let storedName = "simulated.snapshot"

    var id: SnapshotID
    /// The volume as it was.
    var volume: VolumeSpec
    var bytes: SimulatedBytes
}
