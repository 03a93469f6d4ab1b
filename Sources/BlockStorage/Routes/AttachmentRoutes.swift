import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/attachments`.
struct AttachmentRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let service: AttachmentService

    private static let path = "/attachments/{attachment_id}"
    private static let since = 27
    private static let completeSince = 44
    private static let modeSince = 54

    var all: [Route] {
        [
            maker.route(.get, "/attachments", nil, since: Self.since) { call in try await list(call, isDetailed: false)
            },
            maker.route(.get, "/attachments/detail", nil, since: Self.since) { call in
                try await list(call, isDetailed: true)
            },
            maker.route(.post, "/attachments", nil, since: Self.since) { call in
                let made = try await service.create(try await call.read(Self.new), by: call.caller)
                return Self.answer(made)
            },
            maker.route(.get, Self.path, nil, since: Self.since) { call in
                Self.answer(try await service.get(call.call.id("attachment_id"), by: call.caller))
            },
            maker.route(.put, Self.path, nil, since: Self.since) { call in
                let connector = try await call.read(Self.change)
                return Self.answer(
                    try await service.update(call.call.id("attachment_id"), connector, by: call.caller))
            },
            maker.route(.delete, Self.path, nil, since: Self.since) { call in
                let rest = try await service.delete(call.call.id("attachment_id"), by: call.caller)
                return Self.answer(rest, isDetailed: false)
            },
            maker.route(.post, Self.path + "/action", nil, since: Self.completeSince) { call in
                let body = try await call.call.body.json()
                guard body.count == 1, body["os-complete"] != nil else {
                    throw CloudError.badRequest(
                        "There is no such action: \(body.keys.joined(separator: ", ").prefix(255))")
                }
                try await service.complete(call.call.id("attachment_id"), by: call.caller)
                return .noContent
            },
        ]
    }

    private static let new = Form.object(
        AttachmentService.Wish(),
        [
            .required("volume_uuid", \.volumeID, .uuid), .optional("instance_uuid", \.serverID, .uuid),
            .optional("connector", \.connector, .nullable(.anything)),
            .optional("mode", \.mode, .oneOf(["rw", "ro"]), since: modeSince),
        ]
    ).inside("attachment")

    private static let change = Form<JSONObject>(.object([], counts: 1...Int.max, open: true)) { $0.object }
        .inside("connector").inside("attachment")

    private func list(_ call: VolumeCall, isDetailed: Bool) async throws -> Reply {
        let query = try ListRequest(call)
        return Self.answer(try await service.list(query, by: call.caller), isDetailed: isDetailed)
    }

    private static func answer(_ attachments: [VolumeAttachment], isDetailed: Bool) -> Reply {
        .json { json in
            json.array("attachments", of: attachments) { json, attachment in
                json.object { write(attachment, isDetailed: isDetailed, &$0) }
            }
        }
    }

    private static func answer(_ attachment: VolumeAttachment) -> Reply {
        .json { json in json.object("attachment") { write(attachment, isDetailed: true, &$0) } }
    }

    private static func write(_ attachment: VolumeAttachment, isDetailed: Bool, _ json: inout JSONWriter) {
        json.member("id", attachment.id)
        json.member("status", attachment.status.rawValue)
        json.member("instance", attachment.serverID)
        json.member("volume_id", attachment.volumeID)
        guard isDetailed else { return }
        json.member("attached_at", attachment.attachedAt?.iso8601MicrosecondsNoZone ?? "")
        json.member("detached_at", "")
        json.member("attach_mode", attachment.mode)
        json.object("connection_info") { json in
            if attachment.isConnected { json.members(of: ConnectionInfo.flat(attachment)) }
        }
    }
}
