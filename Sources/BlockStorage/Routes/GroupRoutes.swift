import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/groups`.
struct GroupRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let service: GroupService

    private static let path = "/groups/{group_id}"
    private static let since = 13
    private static let copiesSince = 14
    private static let resetSince = 20
    private static let volumesSince = 25
    private static let replicationSince = 38
    private static let projectSince = 58

    var all: [Route] {
        let creation = GroupCreation(service: service)
        return [
            maker.route(.get, "/groups", nil, since: Self.since) { call in try await list(call, isDetailed: false) },
            maker.route(.get, "/groups/detail", nil, since: Self.since) { call in
                try await list(call, isDetailed: true)
            },
            maker.route(.post, "/groups", nil, since: Self.since) { call in
                let wish = try await call.read(Self.new)
                return Self.brief(try await creation.create(wish, .groups, by: call.caller))
            },
            maker.route(.post, "/groups/action", nil, since: Self.copiesSince) { call in
                let copy = try await call.read(Self.copy)
                let made = try await creation.create(
                    from: try copy.source(), name: copy.name, description: copy.description, .groups, by: call.caller)
                return Self.brief(made)
            },
            maker.route(.get, Self.path, nil, since: Self.since) { call in
                let view = try await service.get(
                    call.call.id("group_id"), .groups, withVolumes: try Self.asksVolumes(call), by: call.caller)
                return .json { json in json.object("group") { Self.write(view, call.caller, &$0) } }
            },
            maker.route(.put, Self.path, nil, since: Self.since) { call in
                let change = try await call.read(Self.change)
                try await service.update(call.call.id("group_id"), change, .groups, by: call.caller)
                return .accepted
            },
            maker.route(.post, Self.path + "/action", nil, since: Self.since) { call in try await act(call) },
        ]
    }

    // MARK: Bodies

    /// A text or null of at most 255 characters, without the white space at its ends.
    static let text = Form<String?>.shortText.mapped { $0?.trimmed }

    /// A group needs no more types than it may have volumes.
    private static let types = 1...Limits.thing.groupVolumes.most
    private static let new = Form.object(
        GroupCreation.Wish(),
        [
            .optional("name", \.name, text), .optional("description", \.description, .printable),
            .required("group_type", \.type, .filledName),
            .required("volume_types", \.volumeTypes, .array(.string(0...255), types, unique: true)),
            .optional("availability_zone", \.zone, .nullable(.string(1...255))),
        ]
    ).inside("group")

    private struct Copy: Sendable {
        var name: String?
        var description: String?
        var snapshotID: String?
        var groupID: String?

        func source() throws -> GroupCreation.Source {
            switch (snapshotID, groupID) {
            case (let id?, nil): return .snapshot(ID(id))
            case (nil, let id?): return .group(ID(id))
            default:
                throw CloudError.badRequest(
                    "Invalid input for field/attribute create-from-src. Exactly one of 'group_snapshot_id' and "
                        + "'source_group_id' is required.")
            }
        }
    }

    private static let copy = Form.object(
        Copy(),
        [
            .optional("name", \.name, text), .optional("description", \.description, .printable),
            // The SDK sends a null for the one that is not meant.
            .optional("group_snapshot_id", \.snapshotID, .uuidOrNull),
            .optional("source_group_id", \.groupID, .uuidOrNull),
        ]
    ).inside("create-from-src")

    private static let change = Form.object(
        GroupService.Change(),
        [
            .optional("name", \.name, text), .optional("description", \.description, .printable),
            .optional("add_volumes", \.added, .printable), .optional("remove_volumes", \.removed, .printable),
        ], anyOf: ["name", "description", "add_volumes", "remove_volumes"]
    ).inside("group")

    private struct Deletion: Sendable { var hasVolumes = false }
    private static let deletion = Form.object(
        Deletion(), [.optional("delete-volumes", \.hasVolumes, .truth)]
    ).inside("delete")
    private static let reset = Form.string().inside("status").inside("reset_status")

    private func act(_ call: VolumeCall) async throws -> Reply {
        let body = try await call.call.body.json()
        let id: ID<VolumeGroup> = call.call.id("group_id")
        switch body.keys.first {
        case "delete" where body.count == 1:
            let deletion = try call.read(Self.deletion, .object(body))
            try await service.delete(id, withVolumes: deletion.hasVolumes, .groups, by: call.caller)
        case "reset_status" where body.count == 1 && call.minor >= Self.resetSince:
            let status = try GroupStatus.reset(
                try call.read(Self.reset, .object(body)), of: "Group", ("Group status", "valid status are"),
                named: GroupStatus.allCases)
            try await service.reset(id, to: status, by: call.caller)
        case let word? where body.count == 1 && call.minor >= Self.replicationSince:
            return try await replicate(word, id, body, call)
        default:
            throw CloudError.badRequest("There is no such action: \(body.keys.joined(separator: ", ").prefix(255))")
        }
        return .accepted
    }

    // MARK: Replication

    private struct Failover: Sendable {
        var takesAttached = false
        var backend: String?
    }
    private static let failover = Form.object(
        Failover(),
        [
            .optional("allow_attached_volume", \.takesAttached, .truth),
            .optional("secondary_backend_id", \.backend, .nullable(.string(0...255))),
        ]
    ).inside("failover_replication")

    private func replicate(
        _ word: String, _ id: ID<VolumeGroup>, _ body: JSONObject, _ call: VolumeCall
    ) async throws -> Reply {
        let replication = GroupReplicationService(groups: service)
        let plain = Form<JSONObject>.anything.inside(word)
        switch word {
        case "enable_replication":
            _ = try call.read(plain, .object(body))
            try await replication.refuse(.enable, of: id, by: call.caller)
        case "disable_replication":
            _ = try call.read(plain, .object(body))
            try await replication.refuse(.disable, of: id, by: call.caller)
        case "failover_replication":
            _ = try call.read(Self.failover, .object(body))
            try await replication.refuse(.failover, of: id, by: call.caller)
        case "list_replication_targets":
            _ = try call.read(plain, .object(body))
            try await replication.requireTargets(of: id, by: call.caller)
            return .json { json in
                json.array("replication_targets", of: [] as [String]) { $0.string($1) }
            }
        default: throw CloudError.badRequest("There is no such action: \(word.prefix(255))")
        }
        return .accepted
    }

    // MARK: Answers

    private static func asksVolumes(_ call: VolumeCall) throws -> Bool {
        try call.minor >= volumesSince && call.truth("list_volume")
    }

    private func list(_ call: VolumeCall, isDetailed: Bool) async throws -> Reply {
        let query = try ListRequest(call)
        let withVolumes = try isDetailed && Self.asksVolumes(call)
        let found = try await service.list(query, .groups, withVolumes: withVolumes, by: call.caller)
        return try await call.page(
            ("groups", "group_links"), at: isDetailed ? "groups/detail" : "groups", found, id: \.group.id.text
        ) { view, json in
            if isDetailed { return Self.write(view, call.caller, &json) }
            json.member("id", view.group.id)
            json.member("name", view.group.name)
        }
    }

    private static func brief(_ group: VolumeGroup) -> Reply {
        .json(.accepted) { json in
            json.object("group") { json in
                json.member("id", group.id)
                json.member("name", group.name)
            }
        }
    }

    private static func write(_ view: GroupView, _ caller: Caller, _ json: inout JSONWriter) {
        let group = view.group
        json.member("id", group.id)
        json.member("status", group.status.rawValue)
        json.member("availability_zone", group.zone)
        json.member("created_at", group.createdAt.iso8601MicrosecondsNoZone)
        json.member("name", group.name)
        json.member("description", group.description)
        json.member("group_type", group.typeID)
        json.array("volume_types", of: view.types) { $0.string($1.text) }
        if caller.minor >= copiesSince {
            json.member("group_snapshot_id", group.snapshotID)
            json.member("source_group_id", group.sourceID)
        }
        if let volumes = view.volumes { json.array("volumes", of: volumes) { $0.string($1.text) } }
        if caller.minor >= replicationSince { json.member("replication_status", "disabled") }
        if caller.minor >= projectSince, caller.may(.showGroupProject) { json.member("project_id", group.projectID) }
    }
}
