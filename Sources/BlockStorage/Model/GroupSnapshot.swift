import CloudCore

/// A snapshot of all volumes of a group. It is available when each of its snapshots is, and goes with the last one.
struct GroupSnapshot: RowNoun {
    static let word = "GroupSnapshot"

    let id: ID<GroupSnapshot>
    var groupID: ID<VolumeGroup>
    var typeID: ID<GroupType>
    var projectID: String
    var userID: String
    var name: String?
    var description: String?
    var status = GroupStatus.creating
    var createdAt: Timestamp
    var updatedAt: Timestamp?

    init(id: ID<GroupSnapshot>, of group: VolumeGroup, projectID: String, userID: String, createdAt: Timestamp) {
        self.id = id
        groupID = group.id
        typeID = group.typeID
        self.projectID = projectID
        self.userID = userID
        self.createdAt = createdAt
    }
}
