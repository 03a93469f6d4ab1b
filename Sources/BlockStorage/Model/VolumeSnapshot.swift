import CloudCore
import Durable

/// The state of a snapshot, as the API shows it.
enum SnapshotStatus: String, Sendable, Codable, CaseIterable {
    case error, available, creating, deleting, deleted, updating
    case errorDeleting = "error_deleting"
    case unmanaging
    case backingUp = "backing-up"
    case restoring

    /// The states from which a snapshot may be deleted without force.
    static let deletable: [SnapshotStatus] = [.available, .error]
}

/// A snapshot of a volume: its content at one moment.
struct VolumeSnapshot: RowNoun {
    static let word = "Snapshot"

    let id: ID<Kind.Snapshot>
    var volumeID: ID<Kind.Volume>
    var projectID: String
    var userID: String
    var name: String?
    var description: String?
    /// The size of the volume at that moment, in GiB.
    var size: Int
    var status = SnapshotStatus.creating
    var typeID: ID<VolumeType>
    var groupSnapshotID: ID<GroupSnapshot>?
    var metadata = JSONObject()
    /// Whether the volume could boot at that moment, and the properties of its image: a volume that is made from the
    /// snapshot has them, too.
    var isBootable = false
    var imageMetadata = JSONObject()
    /// The part that is done, such as `80%`, as a service that keeps the bytes itself has reported it.
    var reportedProgress: String?
    /// The number of changes that were wanted of the bytes.
    var generation: Int64 = 0
    var createdAt: Timestamp
    var updatedAt: Timestamp?

    init(
        id: ID<Kind.Snapshot>, of volume: Volume, projectID: String, userID: String, createdAt: Timestamp
    ) {
        self.id = id
        volumeID = volume.id
        self.projectID = projectID
        self.userID = userID
        size = volume.size
        typeID = volume.typeID
        isBootable = volume.isBootable
        imageMetadata = volume.imageMetadata
        self.createdAt = createdAt
    }

    static func resource(_ id: ID<Kind.Snapshot>) -> ResourceKey { ResourceKey("volume.snapshot/\(id)") }
    var resource: ResourceKey { Self.resource(id) }
}
