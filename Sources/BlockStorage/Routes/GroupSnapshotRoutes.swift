import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/group_snapshots`.
struct GroupSnapshotRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let service: GroupSnapshotService

    private static let path = "/group_snapshots/{group_snapshot_id}"
    private static let since = 14
    private static let resetSince = 19
    private static let pagesSince = 29
    private static let projectSince = 58

    var all: [Route] {
        [
            maker.route(.get, "/group_snapshots", nil, since: Self.since) { call in
                try await list(call, isDetailed: false)
            },
            maker.route(.get, "/group_snapshots/detail", nil, since: Self.since) { call in
                try await list(call, isDetailed: true)
            },
            maker.route(.post, "/group_snapshots", nil, since: Self.since) { call in
                let made = try await service.create(try await call.read(Self.new), .groups, by: call.caller)
                return .json(.accepted) { json in
                    json.object("group_snapshot") { json in
                        json.member("id", made.id)
                        json.member("name", made.name)
                        json.member("group_type_id", made.typeID)
                    }
                }
            },
            maker.route(.get, Self.path, nil, since: Self.since) { call in
                let found = try await service.get(call.call.id("group_snapshot_id"), .groups, by: call.caller)
                return .json { json in json.object("group_snapshot") { Self.write(found, call.caller, &$0) } }
            },
            maker.route(.delete, Self.path, nil, since: Self.since) { call in
                try await service.delete(call.call.id("group_snapshot_id"), .groups, by: call.caller)
                return .accepted
            },
            maker.route(.post, Self.path + "/action", nil, since: Self.resetSince) { call in
                let text = try await call.read(Self.reset)
                let status = try GroupStatus.reset(
                    text, of: "GroupSnapshot", ("Group snapshot status", "valid statuses are"),
                    named: GroupStatus.allCases.filter { $0 != .inUse })
                try await service.reset(call.call.id("group_snapshot_id"), to: status, by: call.caller)
                return .accepted
            },
        ]
    }

    private static let new = Form.object(
        GroupSnapshotService.Wish(),
        [
            .required("group_id", \.groupID, .uuid), .optional("name", \.name, GroupRoutes.text),
            .optional("description", \.description, .printable),
        ]
    ).inside("group_snapshot")
    private static let reset = Form.string().inside("status").inside("reset_status")

    private func list(_ call: VolumeCall, isDetailed: Bool) async throws -> Reply {
        // Older versions know no query.
        let query = try call.minor < Self.pagesSince ? ListRequest(filters: []) : ListRequest(call)
        let found = try await service.list(query, .groups, by: call.caller)
        return try await call.page(
            ("group_snapshots", "group_snapshot_links"), at: isDetailed ? "group_snapshots/detail" : "group_snapshots",
            found, id: \.id.text
        ) { snapshot, json in
            if isDetailed { return Self.write(snapshot, call.caller, &json) }
            json.member("id", snapshot.id)
            json.member("name", snapshot.name)
        }
    }

    private static func write(_ snapshot: GroupSnapshot, _ caller: Caller, _ json: inout JSONWriter) {
        json.member("id", snapshot.id)
        json.member("group_id", snapshot.groupID)
        json.member("group_type_id", snapshot.typeID)
        json.member("status", snapshot.status.rawValue)
        json.member("created_at", snapshot.createdAt.iso8601MicrosecondsNoZone)
        json.member("name", snapshot.name)
        json.member("description", snapshot.description)
        guard caller.minor >= projectSince, caller.may(.showGroupSnapshotProject) else { return }
        json.member("project_id", snapshot.projectID)
    }
}
