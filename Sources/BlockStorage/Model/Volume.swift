import CloudCore
import Durable

/// A volume as the API's user sees it.
struct Volume: RowNoun {
    static let word = "Volume"

    let id: ID<Kind.Volume>
    var projectID: String
    var userID: String
    var name: String?
    var description: String?
    /// The size in GiB.
    var size: Int
    /// The size in GiB that the quota counts: the new size as soon as a growth is accepted.
    var claimedSize: Int
    var status: VolumeStatus
    /// The state to which a running action leads back.
    var previousStatus: VolumeStatus?
    var attachStatus = AttachStatus.detached
    /// The state of a migration, as the reference has it: one of `Migration`, or what an administrator has set; nil
    /// before the first one.
    var migration: String?
    var zone: String?
    /// The host and the pool that have the bytes, or are going to have them; nil before the volume is placed.
    var host: String?
    var pool: String?
    var typeID: ID<VolumeType>
    var snapshotID: ID<Kind.Snapshot>?
    var sourceID: ID<Kind.Volume>?
    var groupID: ID<VolumeGroup>?
    var isBootable = false
    var isMultiattach = false
    /// Whether the volume is read-only; nil unless it was ever said.
    var isReadOnly: Bool?
    var metadata = JSONObject()
    /// The properties of the image that the volume was made from.
    var imageMetadata = JSONObject()
    /// The number of changes that were wanted of the bytes. A host refuses a change with an older number.
    var generation: Int64 = 0
    var createdAt: Timestamp
    var updatedAt: Timestamp?
    var launchedAt: Timestamp?

    init(
        id: ID<Kind.Volume>, projectID: String, userID: String, size: Int, typeID: ID<VolumeType>, createdAt: Timestamp
    ) {
        self.id = id
        self.projectID = projectID
        self.userID = userID
        self.size = size
        claimedSize = size
        status = .creating
        self.typeID = typeID
        self.createdAt = createdAt
    }

    /// The place of the bytes as administrators know it: `host@pool#pool`; nil before the volume is placed.
    var place: String? { host.flatMap { host in pool.map { PoolName(host: host, pool: $0).text } } }

    /// The kind of volumes among the resources of workflows.
    static let resourceKind = "volume"
    static func resource(_ id: ID<Kind.Volume>) -> ResourceKey { ResourceKey("\(resourceKind)/\(id)") }
    var resource: ResourceKey { Self.resource(id) }

    /// The states of a migration.
    enum Migration {
        static let starting = "starting"
        static let migrating = "migrating"
        static let success = "success"
        static let error = "error"
    }

    /// Gives a volume that was kept from its users the state that it had before its migration.
    mutating func endMigration() {
        guard status == .maintenance || status == .retyping else { return }
        (status, previousStatus) = (previousStatus ?? .available, nil)
    }

    /// Whether a migration of the volume runs.
    var isMigrating: Bool { ![nil, "success", "error", "deleting", "none"].contains(migration) }
}

/// The name of a pool as the reference writes it: `host@backend#pool`. Each pool is a backend of its own here.
struct PoolName: Sendable, Hashable {
    var host: String
    var pool: String

    var text: String { "\(host)@\(pool)#\(pool)" }

    init(host: String, pool: String) {
        self.host = host
        self.pool = pool
    }

    /// Reads `host@backend#pool` or `host@backend`; nil for any other text.
    init?(_ text: String) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        let names = parts[1].split(separator: "#", maxSplits: 1)
        guard let last = names.last else { return nil }
        self.init(host: String(parts[0]), pool: String(last))
    }
}
