import CloudCore
import SQL

/// The creation of groups: of nothing, of a group snapshot, or of another group.
struct GroupCreation: Sendable {
    let service: GroupService
    private let types: GroupTypeService
    private var context: BlockStorageContext { service.context }

    init(service: GroupService) {
        self.service = service
        types = GroupTypeService(context: service.context)
    }

    /// The group that a user asks for.
    struct Wish: Sendable {
        var name: String?
        var description: String?
        /// The id or the name of the group's type.
        var type = ""
        /// The ids or names of the types that its volumes may have.
        var volumeTypes: [String] = []
        var zone: String?
    }

    /// Makes a group without volumes. It has its pool at once, or is in error if no pool serves.
    func create(_ wish: Wish, _ face: VolumeGroup.Face, by caller: Caller) async throws -> VolumeGroup {
        try caller.require(.createGroup)
        await context.needs.hosts.refresh()
        let id = ID<VolumeGroup>(context.world.random.uuid())
        return try await context.write { tx in
            let type = try types.require(wish.type, by: caller, in: tx)
            try service.rules.check(type.id, face, in: tx)
            let volumeTypes = try wish.volumeTypes.map {
                try service.volumes.typeRules.require($0, by: caller, in: tx)
            }
            var group = VolumeGroup(
                id: id, projectID: caller.projectID, userID: caller.userID, typeID: type.id,
                createdAt: context.world.now)
            (group.name, group.description, group.zone) = (wish.name, wish.description, try zone(wish.zone))
            try requireRoom(by: caller, in: tx)
            do {
                let place = try place(volumeTypes, type, group.zone, in: tx)
                (group.host, group.pool) = (place?.host, place?.pool)
            } catch let error as CloudError where error.code == PoolChoice.code {
                group.status = .error
            }
            try service.groups.insert(group, types: volumeTypes.map(\.id), in: tx)
            return group
        }
    }

    private func zone(_ wanted: String?) throws -> String {
        guard let wanted else { return VolumeCreation.usualZone }
        guard wanted == VolumeCreation.usualZone || context.needs.hosts.pools().contains(where: { $0.zone == wanted })
        else { throw VolumeRefusal.input("Availability zone '\(wanted)' is invalid.") }
        return wanted
    }

    /// Returns the pool that serves all types of the volumes and the type of the group.
    private func place(
        _ volumeTypes: [VolumeType], _ type: GroupType, _ zone: String?, in tx: Transaction
    ) throws -> PoolName? {
        guard let first = volumeTypes.first else { return nil }
        var wish = PoolWish(size: 0, type: first)
        wish.otherTypes = volumeTypes.dropFirst() + [type.demands]
        wish.zones = zone.map { [$0] }
        return try PoolPicker(hosts: context.needs.hosts).pick(wish, in: tx)
    }

    private func requireRoom(by caller: Caller, in tx: Transaction) throws {
        var addition = QuotaCheck.Addition(groups: 1)
        addition.thing = .groups
        try QuotaCheck().require(addition, of: caller.projectID, in: tx)
    }

    // MARK: Copies

    /// The thing that a group is made of.
    enum Source: Sendable {
        case snapshot(ID<GroupSnapshot>)
        case group(ID<VolumeGroup>)
    }

    /// Makes a group with a copy of each volume of a group or a group snapshot.
    func create(
        from source: Source, name: String?, description: String?, _ face: VolumeGroup.Face, by caller: Caller
    ) async throws -> VolumeGroup {
        try caller.require(.createGroup)
        await context.needs.hosts.refresh()
        let id = ID<VolumeGroup>(context.world.random.uuid())
        return try await context.write { tx in
            let (origin, contents) = try contents(of: source, face, by: caller, in: tx)
            try requireRoom(by: caller, in: tx)
            guard origin.host != nil else { throw VolumeRefusal.group("No valid host to create group \(id).") }
            try service.rules.requireThawed(origin, in: tx)
            var group = VolumeGroup(
                id: id, projectID: caller.projectID, userID: caller.userID, typeID: origin.typeID,
                createdAt: context.world.now)
            (group.name, group.description, group.status) = (name, description, .creating)
            (group.zone, group.host, group.pool) = (origin.zone, origin.host, origin.pool)
            switch source {
            case .snapshot(let id): group.snapshotID = id
            case .group(let id): group.sourceID = id
            }
            let types = try service.groups.types(of: [origin.id], in: tx)[origin.id] ?? []
            try service.groups.insert(group, types: types, in: tx)
            let creation = VolumeCreation(service: service.volumes)
            for content in contents { try creation.create(content, in: group, by: caller, tx) }
            return group
        }
    }

    /// Returns the group whose type, types and pool the new one gets, and the things that its volumes are made of.
    private func contents(
        of source: Source, _ face: VolumeGroup.Face, by caller: Caller, in tx: Transaction
    ) throws -> (origin: VolumeGroup, contents: [CreateVolume.Content]) {
        switch source {
        case .snapshot(let id):
            let snapshot = try service.rules.require(id, face, by: caller, in: tx)
            let origin = try service.rules.require(snapshot.groupID, .consistencyGroups, by: caller, in: tx)
            let parts = try service.volumes.snapshots.list(inGroup: id, in: tx)
            guard !parts.isEmpty else {
                throw VolumeRefusal.group("Group snapshot is empty. No group will be created.")
            }
            return (origin, parts.map { .snapshot($0.id) })
        case .group(let id):
            let origin = try service.rules.require(id, face, by: caller, in: tx)
            let members = try service.volumes.volumes.list(inGroup: id, in: tx)
            guard !members.isEmpty else {
                throw VolumeRefusal.group("Source Group is empty. No group will be created.")
            }
            return (origin, members.map { .volume($0.id) })
        }
    }
}
