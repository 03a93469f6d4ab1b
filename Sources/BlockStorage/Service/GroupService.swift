import Access
import CloudCore
import SQL

/// The groups: finding, changing and deleting them.
struct GroupService: Sendable {
    let volumes: VolumeService
    let groups = GroupStore()
    let rules = GroupRules()
    var context: BlockStorageContext { volumes.context }

    // MARK: Finding

    func get(
        _ id: ID<VolumeGroup>, _ face: VolumeGroup.Face, withVolumes: Bool = false, by caller: Caller
    ) async throws -> GroupView {
        try await context.read { tx in
            try views([try rules.require(id, face, by: caller, in: tx)], withVolumes: withVolumes, in: tx)[0]
        }
    }

    /// - Parameter withVolumes: whether the answer has the volumes of each group.
    func list(
        _ query: ListRequest, _ face: VolumeGroup.Face, withVolumes: Bool = false, by caller: Caller
    ) async throws -> [GroupView] {
        try caller.require(.listGroups)
        let given = query.filters.filter { $0.name != "list_volume" }
        let older = ["all_tenants"] + ListColumn.groups.keys
        var filters = try ListFilters(
            given, of: "group", older: older, strictSince: face == .groups ? ListFilters.strictSince : .max, by: caller)
        let isAll = filters.take("all_tenants") != nil && caller.isAdministrator
        var filter = ProjectFilter(projectID: isAll ? nil : caller.projectID)
        filter.columns = try filters.columns(ListColumn.groups)
        let page = try RowPage(query.page, by: query.sort, ListColumn.groups)
        return try await context.read { [filter] tx in
            var filter = filter
            if face == .groups { filter.exceptType = try rules.reservedType(in: tx) }
            return try views(try groups.page(filter, page, in: tx), withVolumes: withVolumes, in: tx)
        }
    }

    /// Returns the type of consistency groups; nil if no operator has made it.
    func consistencyGroupType() async throws -> ID<GroupType>? {
        try await context.read { tx in try rules.reservedType(in: tx) }
    }

    private func views(_ found: [VolumeGroup], withVolumes: Bool, in tx: Transaction) throws -> [GroupView] {
        let types = try groups.types(of: found.map(\.id), in: tx)
        let members = try withVolumes ? groups.volumes(of: found.map(\.id), in: tx) : [:]
        return found.map { group in
            GroupView(
                group: group, types: types[group.id] ?? [], volumes: withVolumes ? members[group.id] ?? [] : nil)
        }
    }

    // MARK: Changing

    /// The values that a user gives with a change.
    struct Change: Sendable {
        var name: String?
        var description: String?
        /// The ids of volumes, with commas between them.
        var added: String?
        var removed: String?
    }

    func update(
        _ id: ID<VolumeGroup>, _ change: Change, _ face: VolumeGroup.Face, by caller: Caller
    ) async throws {
        try await context.write { tx in
            let old = try rules.require(id, face, by: caller, in: tx)
            try caller.require(.updateGroup, of: old.projectID)
            let (adding, removing) = (Self.ids(change.added), Self.ids(change.removed))
            let both = adding.filter(removing.contains)
            guard both.isEmpty else {
                let named = both.map { "'\($0.prefix(255))'" }.joined(separator: ", ")
                throw VolumeRefusal.volume("UUIDs [\(named)] are in both add and remove volume list.")
            }
            let most = Limits.thing.groupVolumes.most
            guard adding.count <= most, removing.count <= most else {
                throw VolumeRefusal.group("Group \(id) may have at most \(most) volumes.")
            }
            let present = try volumes.volumes.list(inGroup: id, in: tx)
            let isPresent = Set(present.map(\.id.text))
            let joining = try adding.filter { !isPresent.contains($0) }
                .map { try requireJoining($0, old, by: caller, in: tx) }
            let leaving = try removing.map { try Self.requireLeaving($0, old, among: present) }
            let name = change.name == old.name ? nil : change.name
            let description = change.description == old.description ? nil : change.description
            guard name != nil || description != nil || !joining.isEmpty || !leaving.isEmpty else {
                throw VolumeRefusal.group(
                    "Cannot update group \(id) because no valid name, description, add_volumes, or remove_volumes "
                        + "were provided.")
            }
            guard joining.isEmpty && leaving.isEmpty || old.status == .available else {
                throw VolumeRefusal.group("Group status must be available.")
            }
            try rules.requireRoom(for: joining.count - leaving.count, in: old, tx)
            for volume in joining { try volumes.change(volume, in: tx) { volume, _ in volume.groupID = id } }
            for volume in leaving { try volumes.change(volume, in: tx) { volume, _ in volume.groupID = nil } }
            try self.change(old, in: tx) { group in
                (group.name, group.description) = (name ?? old.name, description ?? old.description)
            }
        }
    }

    /// Returns the ids of a list with commas, each once.
    private static func ids(_ text: String?) -> [String] {
        var seen: Set<String> = []
        return (text ?? "").split(separator: ",").map(String.init).filter { seen.insert($0).inserted }
    }

    private func requireJoining(
        _ id: String, _ group: VolumeGroup, by caller: Caller, in tx: Transaction
    ) throws -> Volume {
        func refused(_ why: String) -> CloudError {
            VolumeRefusal.volume("Cannot add volume \(id) to group \(group.id) \(why).")
        }
        guard let volume = try volumes.volumes.find(ID(id), in: tx), caller.sees(volume.projectID) else {
            throw refused("because volume cannot be found")
        }
        if let other = volume.groupID { throw refused("because it is already in group \(other)") }
        guard volume.projectID == group.projectID else { throw refused("as they belong to different projects") }
        guard try groups.types(of: [group.id], in: tx)[group.id]?.contains(volume.typeID) == true else {
            throw refused("because volume type \(volume.typeID) is not supported by the group")
        }
        guard [.available, .inUse].contains(volume.status) else {
            throw refused(
                "because volume is in an invalid state: \(volume.status.rawValue). Valid states are: ('available', "
                    + "'in-use')")
        }
        guard volume.place == group.place?.text else { throw VolumeRefusal.volume("Volume is not local to this node.") }
        return volume
    }

    private static let leavable: [VolumeStatus] = [.available, .inUse, .error, .errorDeleting]

    private static func requireLeaving(_ id: String, _ group: VolumeGroup, among present: [Volume]) throws -> Volume {
        guard let volume = present.first(where: { $0.id.text == id }) else {
            throw VolumeRefusal.volume(
                "Cannot remove volume \(id) from group \(group.id) because it is not in the group.")
        }
        guard leavable.contains(volume.status) else {
            let valid = leavable.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            throw VolumeRefusal.volume(
                "Cannot remove volume \(id) from group \(group.id) because volume is in an invalid state: "
                    + "\(volume.status.rawValue). Valid states are: (\(valid)).")
        }
        return volume
    }

    func reset(_ id: ID<VolumeGroup>, to status: GroupStatus, by caller: Caller) async throws {
        try await context.write { tx in
            let old = try rules.require(id, .consistencyGroups, by: caller, in: tx)
            try caller.require(.resetGroup, of: old.projectID)
            try change(old, in: tx) { $0.status = status }
        }
    }

    private func change(_ old: VolumeGroup, in tx: Transaction, _ body: (inout VolumeGroup) -> Void) throws {
        var new = old
        body(&new)
        new.updatedAt = context.world.now
        try groups.update(old, to: new, in: tx)
    }

    // MARK: Deleting

    /// Deletes a group. One with volumes is `deleting` until their bytes are gone, and goes with the last of them.
    ///
    /// - Parameter withVolumes: whether its volumes go with it; the group then goes in any state.
    func delete(
        _ id: ID<VolumeGroup>, withVolumes: Bool, _ face: VolumeGroup.Face, by caller: Caller
    ) async throws {
        try await context.write { tx in
            let group = try rules.require(id, face, by: caller, in: tx)
            try caller.require(.deleteGroup, of: group.projectID)
            let members = try volumes.volumes.list(inGroup: id, in: tx)
            if group.host != nil || !members.isEmpty {
                try requireDeletable(group, members, withVolumes: withVolumes, in: tx)
            }
            guard !members.isEmpty else { return try groups.delete(id, in: tx) }
            try change(group, in: tx) { $0.status = .deleting }
            for volume in members where volume.status != .deleting {
                try volumes.beginDelete(volume, by: caller, in: tx)
            }
        }
    }

    private func requireDeletable(
        _ group: VolumeGroup, _ members: [Volume], withVolumes: Bool, in tx: Transaction
    ) throws {
        try rules.requireThawed(group, in: tx)
        guard withVolumes || GroupStatus.deletable.contains(group.status) else {
            throw VolumeRefusal.group(
                "Group status must be available or error, but current status is: \(group.status.rawValue)")
        }
        if try rules.snapshots.hasAny(of: group.id, in: tx) {
            throw VolumeRefusal.group("Group has existing snapshots.")
        }
        guard members.isEmpty || withVolumes else {
            throw VolumeRefusal.group(
                "Group \(group.id) still contains volumes. The delete-volumes flag is required to delete it.")
        }
        for volume in members {
            if volume.attachStatus == .attached {
                throw VolumeRefusal.group("Volume in group \(group.id) is attached. Need to detach first.")
            }
            if try volumes.snapshots.hasAny(of: volume.id, in: tx) {
                throw VolumeRefusal.group("Volume in group still has dependent snapshots.")
            }
        }
        if try groups.isSource(group.id, in: tx) {
            let reason =
                withVolumes
                ? "Group status must be available or error and must not have dependent group snapshots"
                : "Group must not have attached volumes, volumes with snapshots, or dependent group snapshots"
            throw VolumeRefusal.group(
                "Cannot delete group \(group.id). \(reason), and it cannot be the source for an ongoing group or group "
                    + "snapshot creation.")
        }
    }
}
