import Access
import CloudCore
import SQL

/// The group snapshots: taking, finding and deleting them.
struct GroupSnapshotService: Sendable {
    let snapshots: SnapshotService
    private let store = GroupSnapshotStore()
    private let rules = GroupRules()
    private var volumes: VolumeService { snapshots.volumes }
    private var context: BlockStorageContext { snapshots.context }

    // MARK: Finding

    func get(_ id: ID<GroupSnapshot>, _ face: VolumeGroup.Face, by caller: Caller) async throws -> GroupSnapshot {
        try await context.read { tx in try rules.require(id, face, by: caller, in: tx) }
    }

    func list(
        _ query: ListRequest, _ face: VolumeGroup.Face, by caller: Caller
    ) async throws -> [GroupSnapshot] {
        try caller.require(.listGroupSnapshots)
        var filters = try ListFilters(
            query.filters, of: "group_snapshot", older: ["all_tenants"] + ListColumn.groupSnapshots.keys, by: caller)
        let isAll = filters.take("all_tenants") != nil && caller.isAdministrator
        var filter = ProjectFilter(projectID: isAll ? nil : caller.projectID)
        filter.columns = try filters.columns(ListColumn.groupSnapshots)
        let page = try RowPage(query.page, by: query.sort, ListColumn.groupSnapshots)
        return try await context.read { [filter] tx in
            var filter = filter
            if face == .groups { filter.exceptType = try rules.reservedType(in: tx) }
            return try store.page(filter, page, in: tx)
        }
    }

    // MARK: Taking

    /// The group snapshot that a user asks for.
    struct Wish: Sendable {
        var groupID = ""
        var name: String?
        var description: String?
    }

    /// Takes a snapshot of each volume of a group.
    func create(_ wish: Wish, _ face: VolumeGroup.Face, by caller: Caller) async throws -> GroupSnapshot {
        let id = ID<GroupSnapshot>(context.world.random.uuid())
        return try await context.write { tx in
            let group = try rules.require(ID<VolumeGroup>(wish.groupID), face, by: caller, in: tx)
            try caller.require(.createGroupSnapshot, of: group.projectID)
            try rules.requireThawed(group, in: tx)
            let members = try volumes.volumes.list(inGroup: group.id, in: tx)
            var whole = GroupSnapshot(
                id: id, of: group, projectID: caller.projectID, userID: caller.userID, createdAt: context.world.now)
            (whole.name, whole.description) = (wish.name, wish.description)
            if members.isEmpty { whole.status = .available }
            try store.insert(whole, in: tx)
            for volume in members {
                try caller.require(.createSnapshot, of: volume.projectID)
                _ = try snapshots.begin(
                    ID(context.world.random.uuid()), of: volume, takesUsed: true, by: caller, in: tx) { snapshot in
                    (snapshot.name, snapshot.description) = (wish.name, wish.description)
                    snapshot.groupSnapshotID = id
                }
            }
            return whole
        }
    }

    func reset(_ id: ID<GroupSnapshot>, to status: GroupStatus, by caller: Caller) async throws {
        try await context.write { tx in
            let old = try rules.require(id, .consistencyGroups, by: caller, in: tx)
            try caller.require(.resetGroupSnapshot, of: old.projectID)
            try change(old, to: status, in: tx)
        }
    }

    private func change(_ old: GroupSnapshot, to status: GroupStatus, in tx: Transaction) throws {
        var new = old
        (new.status, new.updatedAt) = (status, context.world.now)
        try store.update(old, to: new, in: tx)
    }

    // MARK: Deleting

    /// Deletes a group snapshot. It is `deleting` until the bytes of its snapshots are gone.
    func delete(_ id: ID<GroupSnapshot>, _ face: VolumeGroup.Face, by caller: Caller) async throws {
        try await context.write { tx in
            let whole = try rules.require(id, face, by: caller, in: tx)
            try caller.require(.deleteGroupSnapshot, of: whole.projectID)
            if let group = try rules.groups.find(whole.groupID, in: tx) { try rules.requireThawed(group, in: tx) }
            guard GroupStatus.deletable.contains(whole.status), try !rules.groups.isSource(id, in: tx) else {
                throw CloudError.badRequest(
                    "Invalid GroupSnapshot: GroupSnapshot status must be available or error, and no Group can be "
                        + "currently using it as source for its creation.")
            }
            let parts = try volumes.snapshots.list(inGroup: id, in: tx)
            guard !parts.isEmpty else { return try store.delete(id, in: tx) }
            try change(whole, to: .deleting, in: tx)
            for part in parts { try snapshots.beginDelete(part, by: caller, in: tx) }
        }
    }
}
