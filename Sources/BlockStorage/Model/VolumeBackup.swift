import Blobs
import CloudCore
import Durable
import HostModel

/// The state of a backup, as the API shows it.
///
/// ```
///   action    from               while it runs   to
///   create    -                  creating        available; undone, error
///   import    -                  -               available
///   restore   available          restoring       available, whatever becomes of the volume
///   delete    available, error   deleting        the backup is gone
/// ```
enum BackupStatus: String, Sendable, Codable, CaseIterable {
    case error
    case errorDeleting = "error_deleting"
    case creating, available, deleting, deleted, restoring

    /// The states from which a backup may be deleted without force.
    static let deletable: [BackupStatus] = [.available, .error]
    /// The states that a reset may name.
    static let resettable: [BackupStatus] = [.available, .error]
}

/// A backup of a volume: its content at one moment, which needs neither the volume nor any other backup.
struct VolumeBackup: Sendable {
    let id: ID<VolumeBackup>
    var projectID: String
    var userID: String
    var volumeID: ID<Kind.Volume>
    /// The snapshot whose content it is; nil for that of the volume.
    var snapshotID: ID<Kind.Snapshot>?
    /// The backup after which this one was made; nil for a full one. The bytes do not depend on it: equal pieces are
    /// stored once.
    var parentID: ID<VolumeBackup>?
    var name: String?
    var description: String?
    /// The container that the user has named. All backups are in one store.
    var container: String?
    var status = BackupStatus.creating
    /// The reason why the backup could not be made.
    var failReason: String?
    /// The size of the volume in GiB.
    var size: Int
    /// The number of pieces that are not zero.
    var objectCount = 0
    var zone: String?
    var metadata = JSONObject()
    /// The volume as it was, which a restored one becomes.
    var origin: Origin
    /// The moment whose content it is.
    var dataAt: Timestamp
    /// The volume to which the backup was last restored.
    var restoreVolumeID: ID<Kind.Volume>?
    /// The list of its pieces; nil if it could not be made.
    var manifestID: ID<BackupManifest>?
    var createdAt: Timestamp
    var updatedAt: Timestamp?

    /// The description of the volume at the time of the backup.
    struct Origin: Sendable {
        var name: String?
        var description: String?
        var metadata = JSONObject()
        var imageMetadata = JSONObject()
    }

    init(
        id: ID<VolumeBackup>, of volume: ID<Kind.Volume>, size: Int, projectID: String, userID: String,
        createdAt: Timestamp
    ) {
        self.id = id
        volumeID = volume
        self.size = size
        self.projectID = projectID
        self.userID = userID
        self.createdAt = createdAt
        dataAt = createdAt
        origin = Origin()
    }

    var resource: ResourceKey { ResourceKey("volume.backup/\(id)") }

    /// The volume of a backup whose record was imported: it is none of this cloud's.
    static let importedVolume = ID<Kind.Volume>("00000000-0000-0000-0000-000000000000")

    static func missing(_ id: some CustomStringConvertible) -> CloudError {
        .notFound("Backup \(id) could not be found.")
    }
}

/// The list of the pieces of a content. A backup has one; an imported record may share that of another backup.
struct BackupManifest: Sendable {
    let id: ID<BackupManifest>
    /// The project whose chunks the pieces are.
    var projectID: String
    /// The size of the content in bytes; zero before it is known.
    var bytes: Int64 = 0
    /// The number of pieces, zeros among them, of which the rows are complete.
    var done = 0
    /// The time since which no backup has the list; nil while one has it.
    var freedAt: Timestamp?

    /// Whether the rows of all pieces are there.
    var isWhole: Bool { bytes > 0 && done == Self.count(bytes) }

    /// Returns the number of pieces, zeros among them, of a content.
    static func count(_ bytes: Int64) -> Int {
        Int((bytes + Int64(ChunkID.mostBytes) - 1) / Int64(ChunkID.mostBytes))
    }

    func reference(for backup: ID<VolumeBackup>) -> BackupReference {
        BackupReference(manifest: id.text, backup: backup.text, bytes: bytes)
    }
}
