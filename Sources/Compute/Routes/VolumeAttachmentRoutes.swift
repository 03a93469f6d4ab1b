import Access
import CloudCore
import HTTPKit
import HTTPTypes

/// Volumes of a server. This cloud has none yet: lists are empty, and no volume is found.
struct VolumeAttachmentRoutes: Sendable {
    let endpoint: Endpoint
    let servers: ServerService

    private static let path = ServerRoutes.path + "/os-volume_attachments"
    private static let one = path + "/{volume_id}"
    private static let query = QueryShape([("limit", .natural), ("offset", .natural)], closedSince: 75)
    private static let tagSince = 49
    private static let endSince = 79
    private static let endOfPresentSince = 85

    var all: [Route] {
        [
            endpoint.route(.get, Self.path, nil, query: Self.query) { call in
                try await require(call, .listVolumeAttachments)
                return .json { $0.array("volumeAttachments", of: [] as [String]) { $0.string($1) } }
            },
            endpoint.route(.post, Self.path, nil) { call in
                try await require(call, .createVolumeAttachment)
                let body = try await call.body(Self.create(call.minor))
                throw Self.missing(body["volumeAttachment"]?["volumeId"]?.string ?? "")
            },
            endpoint.route(.get, Self.one, nil) { call in try await refuse(call, .showVolumeAttachment) },
            endpoint.route(.put, Self.one, nil) { call in
                try await require(call, .updateVolumeAttachment)
                _ = try await call.body(Self.update(call.minor))
                throw Self.missing(call.parameter("volume_id"))
            },
            endpoint.route(.delete, Self.one, nil) { call in try await refuse(call, .deleteVolumeAttachment) },
        ]
    }

    private func require(_ call: ComputeCall, _ action: Action) async throws {
        try await servers.check(call.call.id("server_id"), action, by: call.caller)
    }

    private func refuse(_ call: ComputeCall, _ action: Action) async throws -> Reply {
        try await require(call, action)
        throw Self.missing(call.parameter("volume_id"))
    }

    private static func missing(_ volume: String) -> CloudError { .notFound("Volume \(volume.prefix(255)) could not be found.") }

    private static func create(_ minor: Int) -> BodyShape {
        var members: [(String, BodyShape)] = [("volumeId", .uuid), ("device", .null(or: .text(1...255)))]
        if minor >= tagSince { members.append(("tag", ServerShapes.tag)) }
        if minor >= endSince { members.append(("delete_on_termination", .boolean)) }
        return .envelope("volumeAttachment", members, required: ["volumeId"])
    }

    private static func update(_ minor: Int) -> BodyShape {
        guard minor >= endOfPresentSince else { return .envelope("volumeAttachment", [("volumeId", .uuid)], required: ["volumeId"]) }
        return .envelope(
            "volumeAttachment",
            [
                ("volumeId", .uuid), ("device", .null(or: .text(1...255))), ("tag", ServerShapes.tag), ("delete_on_termination", .boolean),
                ("serverId", .uuid), ("id", .uuid),
            ], required: ["volumeId"])
    }
}
