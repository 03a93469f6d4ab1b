import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/consistencygroups` and `/cgsnapshots`, the older names of groups and of group snapshots.
struct ConsistencyGroupRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let groups: GroupService
    let snapshots: GroupSnapshotService

    var all: [Route] { ofGroups + ofSnapshots }

    // MARK: Groups

    private var ofGroups: [Route] {
        let (path, one) = ("/consistencygroups", "/consistencygroups/{consistencygroup_id}")
        let creation = GroupCreation(service: groups)
        @Sendable func id(_ call: VolumeCall) -> ID<VolumeGroup> { call.call.id("consistencygroup_id") }
        return [
            maker.route(.get, path, nil) { call in try await list(call, isDetailed: false) },
            maker.route(.get, path + "/detail", nil) { call in try await list(call, isDetailed: true) },
            maker.route(.post, path, nil) { call in
                let wish = try await Self.wish(try await call.read(Self.new), groups, by: call.caller)
                return Self.brief(try await creation.create(wish, .consistencyGroups, by: call.caller))
            },
            maker.route(.post, path + "/create_from_src", nil) { call in
                let copy = try await call.read(Self.copy)
                let made = try await creation.create(
                    from: try copy.source(), name: copy.name, description: copy.description, .consistencyGroups,
                    by: call.caller)
                return Self.brief(made)
            },
            maker.route(.get, one, nil) { call in
                let view = try await groups.get(id(call), .consistencyGroups, by: call.caller)
                return .json { json in json.object("consistencygroup") { Self.write(view, &$0) } }
            },
            maker.route(.post, one + "/delete", nil) { call in
                let body = try await call.call.body.jsonIfAny()
                let isForced = try !body.isEmpty && call.read(Self.deletion, .object(body)).isForced
                try await groups.delete(id(call), withVolumes: isForced, .consistencyGroups, by: call.caller)
                return .accepted
            },
            maker.route(.put, one, nil) { call in try await update(id(call), call) },
            maker.route(.put, one + "/update", nil) { call in try await update(id(call), call) },
        ]
    }

    private func update(_ id: ID<VolumeGroup>, _ call: VolumeCall) async throws -> Reply {
        let change = try await call.read(Self.change)
        let given = [change.name, change.description, change.added, change.removed]
        guard given.contains(where: { $0?.isEmpty == false }) else {
            throw CloudError.badRequest(
                "Name, description, add_volumes, and remove_volumes can not be all empty in the request body.")
        }
        try await groups.update(id, change, .consistencyGroups, by: call.caller)
        return .accepted
    }

    private struct New: Sendable {
        var name: String?
        var description: String?
        /// The ids or names of volume types, with commas between them.
        var types: String?
        var zone: String?
    }

    private static let new = Form.object(
        New(),
        [
            .optional("name", \.name, GroupRoutes.text), .optional("description", \.description, .printable),
            .required("volume_types", \.types, .nullable(.string())),
            .optional("availability_zone", \.zone, .nullable(.string())),
        ], open: true
    ).inside("consistencygroup", open: true)

    private static func wish(
        _ new: New, _ groups: GroupService, by caller: Caller
    ) async throws -> GroupCreation.Wish {
        try caller.require(.createGroup)
        let types = (new.types ?? "").split(separator: ",").map(String.init)
        guard !types.isEmpty else {
            throw CloudError.badRequest(
                "volume_types must be provided to create consistency group \(new.name ?? "None").")
        }
        let most = Limits.thing.groupVolumes.most
        guard types.count <= most else {
            throw CloudError.badRequest("A consistency group may have at most \(most) volume types.")
        }
        guard let type = try await groups.consistencyGroupType() else {
            throw CloudError.badRequest(
                "Group type \(GroupType.ofConsistencyGroups) not found. Rerun migration script to create the default "
                    + "cgsnapshot type.")
        }
        return GroupCreation.Wish(
            name: new.name, description: new.description, type: type.text, volumeTypes: types, zone: new.zone)
    }

    private struct Copy: Sendable {
        var name: String?
        var description: String?
        var snapshotID: String?
        var groupID: String?

        func source() throws -> GroupCreation.Source {
            switch (snapshotID, groupID) {
            case (let id?, nil): return .snapshot(ID(id))
            case (nil, let id?): return .group(ID(id))
            case (nil, nil):
                throw CloudError.badRequest(
                    "Either 'cgsnapshot_id' or 'source_cgid' must be provided to create consistency group "
                        + "\(name ?? "None") from source.")
            default:
                throw CloudError.badRequest(
                    "Cannot provide both 'cgsnapshot_id' and 'source_cgid' to create consistency group "
                        + "\(name ?? "None") from source.")
            }
        }
    }

    private static let copy = Form.object(
        Copy(),
        [
            .optional("name", \.name, GroupRoutes.text), .optional("description", \.description, .printable),
            .optional("cgsnapshot_id", \.snapshotID, .string()), .optional("source_cgid", \.groupID, .string()),
        ], open: true
    ).inside("consistencygroup-from-src", open: true)

    private struct Deletion: Sendable { var isForced = false }
    private static let deletion = Form.object(
        Deletion(), [.optional("force", \.isForced, .truth)], open: true
    ).inside("consistencygroup", open: true)

    private static let change = Form.object(
        GroupService.Change(),
        [
            .optional("name", \.name, GroupRoutes.text), .optional("description", \.description, .printable),
            .optional("add_volumes", \.added, .nullable(.string())),
            .optional("remove_volumes", \.removed, .nullable(.string())),
        ], open: true
    ).inside("consistencygroup", open: true)

    private func list(_ call: VolumeCall, isDetailed: Bool) async throws -> Reply {
        let found = try await groups.list(try ListRequest(call), .consistencyGroups, by: call.caller)
        return try await call.page(
            ("consistencygroups", "consistencygroup_links"),
            at: isDetailed ? "consistencygroups/detail" : "consistencygroups", found, id: \.group.id.text
        ) { if isDetailed { Self.write($0, &$1) } else { Self.brief($0.group, &$1) } }
    }

    private static func brief(_ group: VolumeGroup) -> Reply {
        .json(.accepted) { json in json.object("consistencygroup") { brief(group, &$0) } }
    }

    private static func brief(_ group: VolumeGroup, _ json: inout JSONWriter) {
        json.member("id", group.id)
        json.member("name", group.name)
    }

    private static func write(_ view: GroupView, _ json: inout JSONWriter) {
        json.member("id", view.group.id)
        json.member("status", view.group.status.rawValue)
        json.member("availability_zone", view.group.zone)
        json.member("created_at", view.group.createdAt.iso8601MicrosecondsNoZone)
        json.member("name", view.group.name)
        json.member("description", view.group.description)
        json.array("volume_types", of: view.types) { $0.string($1.text) }
    }

    // MARK: Snapshots

    private var ofSnapshots: [Route] {
        let one = "/cgsnapshots/{cgsnapshot_id}"
        @Sendable func id(_ call: VolumeCall) -> ID<GroupSnapshot> { call.call.id("cgsnapshot_id") }
        return [
            maker.route(.get, "/cgsnapshots", nil) { call in try await listSnapshots(call, isDetailed: false) },
            maker.route(.get, "/cgsnapshots/detail", nil) { call in try await listSnapshots(call, isDetailed: true) },
            maker.route(.post, "/cgsnapshots", nil) { call in
                let wish = try await call.read(Self.newSnapshot)
                let made = try await snapshots.create(wish, .consistencyGroups, by: call.caller)
                return .json(.accepted) { json in
                    json.object("cgsnapshot") { json in
                        json.member("id", made.id)
                        json.member("name", made.name)
                    }
                }
            },
            maker.route(.get, one, nil) { call in
                let found = try await snapshots.get(id(call), .consistencyGroups, by: call.caller)
                return .json { json in json.object("cgsnapshot") { Self.write(found, &$0) } }
            },
            maker.route(.delete, one, nil) { call in
                try await snapshots.delete(id(call), .consistencyGroups, by: call.caller)
                return .accepted
            },
        ]
    }

    private static let newSnapshot = Form.object(
        GroupSnapshotService.Wish(),
        [
            .required("consistencygroup_id", \.groupID, .string()),
            .optional("name", \.name, Form.words("name")),
            .optional("description", \.description, Form.words("description")),
        ], open: true
    ).inside("cgsnapshot", open: true)

    private func listSnapshots(_ call: VolumeCall, isDetailed: Bool) async throws -> Reply {
        let request = try ListRequest(call)
        var query = ListRequest(filters: [])
        (query.page.limit, query.page.offset) = (request.page.limit, request.page.offset)
        let found = try await snapshots.list(query, .consistencyGroups, by: call.caller)
        return .json { json in
            json.array("cgsnapshots", of: found) { json, snapshot in
                json.object { json in
                    if isDetailed {
                        Self.write(snapshot, &json)
                    } else {
                        json.member("id", snapshot.id)
                        json.member("name", snapshot.name)
                    }
                }
            }
        }
    }

    private static func write(_ snapshot: GroupSnapshot, _ json: inout JSONWriter) {
        json.member("id", snapshot.id)
        json.member("consistencygroup_id", snapshot.groupID)
        json.member("status", snapshot.status.rawValue)
        json.member("created_at", snapshot.createdAt.iso8601MicrosecondsNoZone)
        json.member("name", snapshot.name)
        json.member("description", snapshot.description)
    }
}
