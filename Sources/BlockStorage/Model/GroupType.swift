import CloudCore

/// A kind of groups: the demands on the pool of their volumes.
struct GroupType: RowNoun {
    static let word = "Group type"

    var id: ID<GroupType>
    var name: String
    var description: String?
    /// Whether users may make groups of it; nobody but administrators knows of the others.
    var isPublic: Bool
    var specs = JSONObject()
    var createdAt: Timestamp
    var updatedAt: Timestamp?

    /// The name of the type of consistency groups. An operator makes it for users of the older API.
    static let ofConsistencyGroups = "default_cgsnapshot_type"

    static func missing(name: String) -> CloudError {
        .notFound("Group type with name \(name) could not be found.")
    }

    /// The specs as a pool understands them: those of a volume type without a name.
    var demands: VolumeType {
        VolumeType(id: ID(id.text), name: name, isPublic: true, extraSpecs: specs, createdAt: createdAt)
    }
}
