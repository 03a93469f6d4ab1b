import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/backups`.
struct BackupRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let service: BackupService

    private static let path = "/backups/{backup_id}"
    private static let updateSince = 9

    var all: [Route] {
        [
            maker.route(.get, "/backups", nil) { call in try await list(call, isDetailed: false) },
            maker.route(.get, "/backups/detail", nil) { call in try await list(call, isDetailed: true) },
            maker.route(.post, "/backups", nil) { call in
                let made = try await service.create(try await call.read(Self.new), by: call.caller)
                return Self.brief(made, call, .accepted)
            },
            maker.route(.get, Self.path, nil) { call in
                let view = try await service.get(call.call.id("backup_id"), by: call.caller)
                return .json { json in json.object("backup") { BackupWire(call).write(view, &$0) } }
            },
            maker.route(.put, Self.path, nil, since: Self.updateSince) { call in
                let change = try await call.read(Self.change)
                let changed = try await service.update(call.call.id("backup_id"), change, by: call.caller)
                return Self.brief(changed, call, .ok)
            },
            maker.route(.delete, Self.path, nil) { call in
                try await service.delete(call.call.id("backup_id"), isForced: false, by: call.caller)
                return .accepted
            },
            maker.route(.post, Self.path + "/action", nil) { call in try await act(call) },
            maker.route(.post, Self.path + "/restore", nil) { call in try await restore(call) },
            maker.route(.get, Self.path + "/export_record", nil) { call in
                let url = try await BackupRecords(context: service.context).export(
                    call.call.id("backup_id"), by: call.caller)
                return .json { json in
                    json.object("backup-record") { json in
                        json.member("backup_service", BackupRecords.service)
                        json.member("backup_url", url)
                    }
                }
            },
            maker.route(.post, "/backups/import_record", nil) { call in
                let record = try await call.read(Self.record)
                let taken = try await BackupRecords(context: service.context).take(
                    record.url, of: record.service, by: call.caller)
                return Self.brief(taken, call, .created)
            },
        ]
    }

    // MARK: Bodies

    private static let metadataSince = 43
    private static let zoneSince = 51

    private static let trimmedName = Form<String?>.shortText.mapped { $0?.trimmed }
    private static let trimmedWords = Form<String?>.printable.mapped { $0?.trimmed }

    private static let new = Form.object(
        BackupService.Wish(),
        [
            .required("volume_id", \.volumeID, .uuid), .optional("snapshot_id", \.snapshotID, .uuidOrNull),
            .optional("name", \.name, trimmedName), .optional("description", \.description, trimmedWords),
            .optional("container", \.container, .shortText), .optional("incremental", \.isIncremental, .truth),
            .optional("force", \.isForced, .truth),
            .optional(
                "metadata", \.metadata, Form.nullable(Form<JSONObject>.metadata).mapped { $0 ?? JSONObject() },
                since: metadataSince),
            .optional("availability_zone", \.zone, .shortText, since: zoneSince),
        ]
    ).inside("backup")

    private static let change = Form.object(
        BackupService.Change(),
        [
            .optional("name", \.name, trimmedName.mapped { Update($0) }),
            .optional("description", \.description, trimmedWords.mapped { Update($0) }),
            .optional("metadata", \.metadata, .metadata, since: metadataSince),
        ]
    ).inside("backup")

    private static let restoring = Form.object(
        BackupRestoring.Wish(),
        [.optional("volume_id", \.volumeID, .uuidOrNull), .optional("name", \.name, trimmedName)]
    ).inside("restore")

    private struct Record: Sendable {
        var service = ""
        var url = ""
    }
    private static let record = Form.object(
        Record(),
        [
            .required("backup_service", \.service, .string(0...255)),
            .required("backup_url", \.url, .string(1...Int.max)),
        ]
    ).inside("backup-record")

    // MARK: Actions

    private static let reset = Form.string().inside("status").inside("os-reset_status")

    private func act(_ call: VolumeCall) async throws -> Reply {
        let body = try await call.call.body.json()
        let id: ID<VolumeBackup> = call.call.id("backup_id")
        switch body.keys.first {
        case "os-reset_status" where body.count == 1:
            try await service.reset(id, to: try call.read(Self.reset, .object(body)), by: call.caller)
        case "os-force_delete" where body.count == 1:
            try await service.delete(id, isForced: true, by: call.caller)
        default:
            throw CloudError.badRequest("There is no such action: \(body.keys.joined(separator: ", ").prefix(255))")
        }
        return .accepted
    }

    private func restore(_ call: VolumeCall) async throws -> Reply {
        let wish = try await call.read(Self.restoring)
        let begun = try await BackupRestoring(volumes: service.volumes).restore(
            call.call.id("backup_id"), wish, by: call.caller)
        return .json(.accepted) { json in
            json.object("restore") { json in
                json.member("backup_id", begun.backup.id)
                json.member("volume_id", begun.volume.id)
                json.member("volume_name", begun.volume.name)
            }
        }
    }

    // MARK: Answers

    private static func brief(_ backup: VolumeBackup, _ call: VolumeCall, _ status: HTTPResponse.Status) -> Reply {
        .json(status) { json in json.object("backup") { BackupWire(call).brief(backup, &$0) } }
    }

    private func list(_ call: VolumeCall, isDetailed: Bool) async throws -> Reply {
        let found = try await service.list(try ListRequest(call, hasCount: true), by: call.caller)
        let wire = BackupWire(call)
        return try await .page(of: found.backups.count) {
            .json { json in
                json.array("backups", of: found.backups) { json, view in
                    json.object { json in
                        if isDetailed { wire.write(view, &json) } else { wire.brief(view.backup, &json) }
                    }
                }
                Links(call).next(
                    &json, "backups_links", isDetailed ? "backups/detail" : "backups", call,
                    count: found.count ?? found.backups.count, last: found.backups.last?.backup.id.text)
                if let count = found.count { json.member("count", count) }
            }
        }
    }
}
