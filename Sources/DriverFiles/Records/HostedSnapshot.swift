import CloudCore
import HostModel

/// A snapshot as the host remembers it.
struct HostedSnapshot: StoredValue {
    static let storedName = "files.snapshot"

    var id: SnapshotID
    var volume: VolumeID
    var pool: String
    /// The size of the volume at that time.
    var bytes: Int64
    /// The format of the file, which is the volume's.
    var format: VolumeFormat
    /// The ticket of the copy that is not done yet; nil if the snapshot is whole.
    var ticket: String?
    /// The reason why the copy has failed.
    var failure: AgentProblem?
    var isRemoving = false
    /// The file of the pool that is being taken.
    var adopting: String?
    /// The name of the file as which the snapshot is being given away.
    var releasing: String?

    init(id: SnapshotID, of volume: VolumeSpec) {
        self.id = id
        self.volume = volume.id
        pool = volume.pool
        bytes = volume.bytes
        format = volume.format
    }

    /// Whether all bytes are there, and nothing is left to do.
    var isWhole: Bool { ticket == nil && adopting == nil && releasing == nil && !isRemoving }

    /// The volume as it was, thin.
    var spec: VolumeSpec { VolumeSpec(id: volume, pool: pool, bytes: bytes, format: format) }
}
