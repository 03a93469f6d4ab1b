import CloudCore

/// Volumes of one project in one pool, which are snapshotted, copied and deleted together.
///
/// ```
///   create            -                 available; error if no pool serves
///   create from       creating          available when all its volumes are; error if one of them is
///   delete            deleting          the group goes with its last volume
/// ```
struct VolumeGroup: RowNoun {
    static let word = "Group"

    let id: ID<VolumeGroup>
    var projectID: String
    var userID: String
    var name: String?
    var description: String?
    var status = GroupStatus.available
    var zone: String?
    var typeID: ID<GroupType>
    /// The host and the pool that have the volumes; nil if no pool served.
    var host: String?
    var pool: String?
    /// The group snapshot or the group of which the group was made.
    var snapshotID: ID<GroupSnapshot>?
    var sourceID: ID<VolumeGroup>?
    var createdAt: Timestamp
    var updatedAt: Timestamp?

    init(id: ID<VolumeGroup>, projectID: String, userID: String, typeID: ID<GroupType>, createdAt: Timestamp) {
        self.id = id
        self.projectID = projectID
        self.userID = userID
        self.typeID = typeID
        self.createdAt = createdAt
    }

    var place: PoolName? { host.flatMap { host in pool.map { PoolName(host: host, pool: $0) } } }

    /// The API through which a group is reached.
    enum Face: Sendable {
        case groups
        /// The older API, which also has the groups of its own type.
        case consistencyGroups
    }
}
