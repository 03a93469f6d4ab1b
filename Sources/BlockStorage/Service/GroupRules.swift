import CloudCore
import SQL

/// The rules of which groups and group snapshots a caller may know, and through which API.
struct GroupRules: Sendable {
    let groups = GroupStore()
    let snapshots = GroupSnapshotStore()
    private let types = GroupTypeStore()

    /// Returns the type of consistency groups; nil if no operator has made it.
    func reservedType(in tx: Transaction) throws -> ID<GroupType>? {
        try types.find(name: GroupType.ofConsistencyGroups, in: tx)?.id
    }

    /// Refuses a consistency group at the newer API.
    ///
    /// - Parameter things: the words for what was meant, and for the API that has it.
    func check(
        _ type: ID<GroupType>, _ face: VolumeGroup.Face,
        _ things: (what: String, api: String) = ("Migrated group", "CG APIs"), in tx: Transaction
    ) throws {
        guard face == .groups, try reservedType(in: tx) == type else { return }
        throw CloudError.badRequest(
            "Group_type \(type) is reserved for migrating CGs to groups. \(things.what) can only be operated by "
                + "\(things.api).")
    }

    /// - Throws: `notFound` if there is none, or if it is not of the caller's project.
    func require(
        _ id: ID<VolumeGroup>, _ face: VolumeGroup.Face, by caller: Caller, in tx: Transaction
    ) throws -> VolumeGroup {
        let group = try groups.require(id, by: caller, in: tx)
        try caller.require(.getGroup, of: group.projectID)
        try check(group.typeID, face, in: tx)
        return group
    }

    /// - Throws: `notFound` if there is none, or if it is not of the caller's project.
    func require(
        _ id: ID<GroupSnapshot>, _ face: VolumeGroup.Face, by caller: Caller, in tx: Transaction
    ) throws -> GroupSnapshot {
        let snapshot = try snapshots.require(id, by: caller, in: tx)
        try caller.require(.getGroupSnapshot, of: snapshot.projectID)
        try check(snapshot.typeID, face, ("Migrated group snapshots", "CG snapshot APIs"), in: tx)
        return snapshot
    }

    /// Refuses a change of what lies on a frozen host.
    func requireThawed(_ group: VolumeGroup, in tx: Transaction) throws {
        guard let host = group.host, try StorageHostStore().find(host, in: tx)?.isFrozen == true else { return }
        throw VolumeRefusal.input("Modification operations are not allowed on frozen storage backends.")
    }

    // MARK: The volumes of a group

    /// Returns the group that a new volume is going to belong to.
    ///
    /// - Parameter type: the type that the request names.
    func requireOpen(
        _ id: String, for type: VolumeType?, by caller: Caller, in tx: Transaction
    ) throws -> VolumeGroup {
        let group = try require(ID<VolumeGroup>(id), .consistencyGroups, by: caller, in: tx)
        guard let type else {
            throw VolumeRefusal.input("volume_type must be provided when creating a volume in a group.")
        }
        guard try groups.types(of: [group.id], in: tx)[group.id]?.contains(type.id) == true else {
            throw VolumeRefusal.input(
                "Invalid volume_type provided: \(type.name) (requested type must be supported by this group).")
        }
        guard [.available, .creating].contains(group.status) else {
            throw VolumeRefusal.group("Originating group status must be one of 'available, creating' values")
        }
        try requireRoom(for: 1, in: group, tx)
        return group
    }

    /// Refuses more volumes than a group may have.
    func requireRoom(for count: Int, in group: VolumeGroup, _ tx: Transaction) throws {
        let most = Limits.thing.groupVolumes.most
        guard try groups.size(of: group.id, in: tx) + count <= most else {
            throw VolumeRefusal.group("Group \(group.id) may have at most \(most) volumes.")
        }
    }
}
