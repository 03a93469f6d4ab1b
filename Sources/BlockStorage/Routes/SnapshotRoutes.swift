import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/snapshots`.
struct SnapshotRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let service: SnapshotService

    private static let path = "/snapshots/{snapshot_id}"

    var all: [Route] {
        [
            maker.route(.get, "/snapshots", nil) { call in try await list(call, isDetailed: false) },
            maker.route(.get, "/snapshots/detail", nil) { call in try await list(call, isDetailed: true) },
            maker.route(.post, "/snapshots", nil) { call in
                let made = try await service.create(try await call.read(Self.new), by: call.caller)
                return Self.answer(made, call, .accepted)
            },
            maker.route(.get, Self.path, nil) { call in
                Self.answer(
                    try await service.get(call.call.id("snapshot_id"), by: call.caller), call, .ok, isWhole: true)
            },
            maker.route(.put, Self.path, nil) { call in
                let change = try await call.read(Self.change)
                let changed = try await service.change(
                    call.call.id("snapshot_id"), .updateSnapshot, by: call.caller
                ) { snapshot in
                    change.name.apply(to: &snapshot.name)
                    change.description.apply(to: &snapshot.description)
                }
                return Self.answer(changed, call, .ok)
            },
            maker.route(.delete, Self.path, nil) { call in
                try await service.delete(call.call.id("snapshot_id"), isForced: false, by: call.caller)
                return .accepted
            },
            maker.route(.post, Self.path + "/action", nil) { call in try await act(call) },
        ]
    }

    // MARK: Bodies

    private static let new = Form.object(
        SnapshotService.Wish(),
        [
            .required("volume_id", \.volumeID, .uuidOrNull), .optional("name", \.name, trimmed),
            .optional("display_name", \.displayName, trimmed), .optional("description", \.description, .printable),
            .optional("force", \.isForced, .truth),
            .optional("metadata", \.metadata, Form.nullable(Form<JSONObject>.metadata).mapped { $0 ?? JSONObject() }),
        ]
    ).inside("snapshot")

    private static let trimmed = Form<String?>.shortText.mapped { $0?.trimmed }

    private struct Change: Sendable {
        var name = Update<String>.keep
        var description = Update<String>.keep
    }

    private static let change = Form.object(
        Change(),
        [
            .optional("display_name", \.name, trimmed.mapped { Update($0) }),
            .optional("name", \.name, trimmed.mapped { Update($0) }),
            .optional("display_description", \.description, Form<String?>.printable.mapped { Update($0) }),
            .optional("description", \.description, Form<String?>.printable.mapped { Update($0) }),
        ], anyOf: ["name", "description", "display_name", "display_description"]
    ).inside("snapshot")

    // MARK: Actions

    private static let reset = Form.string().inside("status").inside("os-reset_status")
    private static let nothing = Form(.any) { $0 }

    private struct StatusReport: Sendable {
        var status = ""
        var progress: String?
    }
    private static let report = Form.object(
        StatusReport(), [.required("status", \.status, .string()), .optional("progress", \.progress, .string())]
    ).inside("os-update_snapshot_status")

    private func act(_ call: VolumeCall) async throws -> Reply {
        let body = try await call.call.body.json()
        let id: ID<Kind.Snapshot> = call.call.id("snapshot_id")
        switch body.keys.first {
        case "os-reset_status" where body.count == 1:
            let text = try call.read(Self.reset, .object(body)).lowercased()
            guard let status = SnapshotStatus(rawValue: text) else {
                let valid = SnapshotStatus.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
                throw CloudError.badRequest(
                    "Snapshot status: \(text.prefix(255)) is invalid, valid statuses are: (\(valid)).")
            }
            _ = try await service.change(id, .resetSnapshot, by: call.caller) { $0.status = status }
        case "os-force_delete" where body.count == 1:
            try await service.delete(id, isForced: true, by: call.caller)
        case "os-unmanage" where body.count == 1:
            try await ManagingService(snapshots: service).unmanage(id, by: call.caller)
        case "os-update_snapshot_status" where body.count == 1:
            try await report(try call.read(Self.report, .object(body)), of: id, call)
        default:
            throw CloudError.badRequest("There is no such action: \(body.keys.joined(separator: ", ").prefix(255))")
        }
        return .accepted
    }

    /// Takes the word of a service that keeps the bytes itself.
    private func report(_ report: StatusReport, of id: ID<Kind.Snapshot>, _ call: VolumeCall) async throws {
        let progress = report.progress?.isEmpty == true ? nil : report.progress
        if let progress {
            guard progress.hasSuffix("%"), let percent = Int(progress.dropLast()), (0...100).contains(percent) else {
                throw VolumeRefusal.input("progress must be an integer percentage between 0 and 100")
            }
        }
        _ = try await service.change(id, .updateSnapshotStatus, by: call.caller) { snapshot in
            let next: [SnapshotStatus: [SnapshotStatus]] = [
                .creating: [.creating, .available, .error], .deleting: [.deleting, .errorDeleting],
            ]
            guard let allowed = next[snapshot.status] else {
                throw CloudError.badRequest(
                    "Snapshot status \(snapshot.status.rawValue) not allowed for update_snapshot_status")
            }
            guard let status = SnapshotStatus(rawValue: report.status), allowed.contains(status) else {
                throw CloudError.badRequest(
                    "Provided snapshot status \(report.status.prefix(255)) not allowed for snapshot with status "
                        + "\(snapshot.status.rawValue).")
            }
            snapshot.status = status
            snapshot.reportedProgress = progress ?? snapshot.reportedProgress
        }
    }

    // MARK: Answers

    private static let groupsSince = 14
    private static let userSince = 41
    private static let quotaSince = 65

    static func answer(
        _ snapshot: VolumeSnapshot, _ call: VolumeCall, _ status: HTTPResponse.Status, isWhole: Bool = false
    ) -> Reply {
        .json(status) { json in
            json.object("snapshot") { write(snapshot, call.caller, isDetailed: true, isWhole: isWhole, &$0) }
        }
    }

    /// Writes a snapshot.
    ///
    /// - Parameter isWhole: whether the answer has the members that the reference adds to shows and lists alone.
    private static func write(
        _ snapshot: VolumeSnapshot, _ caller: Caller, isDetailed: Bool, isWhole: Bool, _ json: inout JSONWriter
    ) {
        json.member("id", snapshot.id)
        json.member("created_at", snapshot.createdAt.iso8601MicrosecondsNoZone)
        json.member("updated_at", snapshot.updatedAt?.iso8601MicrosecondsNoZone)
        json.member("name", snapshot.name)
        json.member("description", snapshot.description)
        json.member("volume_id", snapshot.volumeID)
        json.member("status", snapshot.status.rawValue)
        json.member("size", snapshot.size)
        json.object("metadata") { $0.members(of: snapshot.metadata) }
        guard isDetailed else { return }
        if caller.minor >= groupsSince { json.member("group_snapshot_id", snapshot.groupSnapshotID) }
        if caller.minor >= userSince { json.member("user_id", snapshot.userID) }
        if caller.minor >= quotaSince { json.member("consumes_quota", true) }
        guard isWhole, caller.may(.showExtendedSnapshot, of: snapshot.projectID) else { return }
        json.member("os-extended-snapshot-attributes:project_id", snapshot.projectID)
        let progress = snapshot.reportedProgress ?? (snapshot.status == .available ? "100%" : "0%")
        json.member("os-extended-snapshot-attributes:progress", progress)
    }

    private func list(_ call: VolumeCall, isDetailed: Bool) async throws -> Reply {
        let query = try ListRequest(call, hasCount: true)
        let found = try await service.list(query, by: call.caller)
        return try await call.page(
            ("snapshots", "snapshots_links"), at: isDetailed ? "snapshots/detail" : "snapshots", found.snapshots,
            id: \.id.text, count: found.count
        ) { Self.write($0, call.caller, isDetailed: isDetailed, isWhole: isDetailed, &$1) }
    }
}
