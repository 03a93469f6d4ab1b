import Access
import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of a server's volumes.
struct VolumeAttachmentRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let volumes: ServerVolumeService

    static let multiattachSince = 60
    private static let path = ServerRoutes.path + "/os-volume_attachments"
    private static let one = path + "/{volume_id}"
    private static let query = QueryShape([("limit", .natural), ("offset", .natural)], closedSince: 75)
    private static let shelvedSince = 20
    private static let tagSince = 49
    private static let tagShownSince = 70
    private static let endSince = 79
    private static let endOfPresentSince = 85
    private static let idsSince = 89
    private static let asyncSince = 101

    var all: [Route] {
        [
            maker.route(.get, Self.path, nil, query: Self.query) { call in
                let all = try await volumes.list(of: call.call.id("server_id"), by: call.caller)
                let found = try paged(all, try call.pageByOffset()) { $0.volumeID.text }
                return .json { json in
                    json.array("volumeAttachments", of: found) { json, volume in
                        json.object { Self.write(volume, call.minor, &$0) }
                    }
                }
            },
            maker.route(.post, Self.path, nil) { call in try await attach(call) },
            maker.route(.get, Self.one, nil) { call in
                let volume = try await volumes.get(
                    ID(call.parameter("volume_id")), of: call.call.id("server_id"), by: call.caller)
                return .json { json in json.object("volumeAttachment") { Self.write(volume, call.minor, &$0) } }
            },
            maker.route(.put, Self.one, nil) { call in try await update(call) },
            maker.route(.delete, Self.one, nil) { call in
                try await requireKnown(call, "detach_volume", .deleteVolumeAttachment)
                try await volumes.detach(
                    ID(call.parameter("volume_id")), from: call.call.id("server_id"), by: call.caller)
                return .accepted
            },
        ]
    }

    private func attach(_ call: ComputeCall) async throws -> Reply {
        try await requireKnown(call, "attach_volume", .createVolumeAttachment)
        var wish = try await call.read(Self.new)
        wish.knowsMultiattach = call.minor >= Self.multiattachSince
        let volume = try await volumes.attach(wish, to: call.call.id("server_id"), by: call.caller)
        if call.minor >= Self.asyncSince { return .accepted }
        return .json { json in
            json.object("volumeAttachment") { json in
                json.member("id", volume.volumeID)
                json.member("serverId", volume.serverID)
                json.member("volumeId", volume.volumeID)
                json.member("device", volume.device)
                Self.writeLater(volume, call.minor, &json)
            }
        }
    }

    /// Refuses servers that are shelved before the microversion that lets them have other volumes.
    private func requireKnown(_ call: ComputeCall, _ word: String, _ action: Action) async throws {
        guard call.minor < Self.shelvedSince else { return }
        let server = try await volumes.servers.check(call.call.id("server_id"), action, by: call.caller)
        guard ![.shelved, .shelvedOffloaded].contains(server.state) else {
            throw CloudError.conflict(
                "Cannot '\(word)' instance \(server.id) while it is in vm_state \(server.state.rawValue)")
        }
    }

    private func update(_ call: ComputeCall) async throws -> Reply {
        let (server, volume) = (call.call.id("server_id", of: Kind.Server.self), ID<Kind.Volume>(call.parameter("volume_id")))
        try await volumes.servers.check(server, .updateVolumeAttachment, by: call.caller)
        let change = try await call.read(Self.change)
        let isSwap = call.minor < Self.endOfPresentSince || change.volumeID != volume
        if isSwap { try call.caller.require(.swapVolumeAttachment) }
        if call.minor >= Self.endOfPresentSince { try await volumes.update(volume, of: server, change, by: call.caller) }
        if isSwap { try await volumes.swap(volume, of: server, by: call.caller) }
        return .accepted
    }

    private static func write(_ volume: ServerVolume, _ minor: Int, _ json: inout JSONWriter) {
        if minor < idsSince { json.member("id", volume.volumeID) }
        json.member("volumeId", volume.volumeID)
        json.member("serverId", volume.serverID)
        json.member("device", volume.device)
        writeLater(volume, minor, &json)
        guard minor >= idsSince else { return }
        json.member("attachment_id", volume.attachmentID)
        json.member("bdm_uuid", volume.id)
    }

    private static func writeLater(_ volume: ServerVolume, _ minor: Int, _ json: inout JSONWriter) {
        if minor >= tagShownSince { json.member("tag", volume.tag) }
        if minor >= endSince { json.member("delete_on_termination", volume.isDeletedWithServer) }
    }

    // MARK: Bodies

    private static let device = Form.string(1...255, .devicePath)

    private static let new = Form.object(
        ServerVolumeService.Wish(),
        [
            .required("volumeId", \.volumeID, Form.uuid.mapped { ID($0) }),
            .optional("device", \.device, .nullable(device)), .optional("tag", \.tag, .tag, since: tagSince),
            .optional("delete_on_termination", \.isDeletedWithServer, .truth, since: endSince),
        ]
    ).inside("volumeAttachment")

    private static let change = Form.object(
        ServerVolumeService.Change(),
        [
            .required("volumeId", \.volumeID, Form.uuid.mapped { ID($0) }),
            .update("device", \.device, device, since: endOfPresentSince),
            .update("tag", \.tag, .tag, since: endOfPresentSince),
            .optional("delete_on_termination", \.isDeletedWithServer, .truth, since: endOfPresentSince),
            .optional("serverId", \.serverID, .uuid, since: endOfPresentSince),
            .optional("id", \.id, .uuid, since: endOfPresentSince),
        ]
    ).inside("volumeAttachment")
}
