import Access
import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of a server's volumes. This cloud has no volumes yet: lists are empty, and no volume is found.
struct VolumeAttachmentRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let servers: ServerService

    private static let path = ServerRoutes.path + "/os-volume_attachments"
    private static let one = path + "/{volume_id}"
    private static let query = QueryShape([("limit", .natural), ("offset", .natural)], closedSince: 75)
    private static let tagSince = 49
    private static let endSince = 79
    private static let endOfPresentSince = 85

    var all: [Route] {
        [
            maker.route(.get, Self.path, nil, query: Self.query) { call in
                try await require(call, .listVolumeAttachments)
                return .json { $0.array("volumeAttachments", of: [] as [String]) { $0.string($1) } }
            },
            maker.route(.post, Self.path, nil) { call in
                try await require(call, .createVolumeAttachment)
                throw Self.missing(try await call.read(Self.new))
            },
            maker.route(.get, Self.one, nil) { call in try await refuse(call, .showVolumeAttachment) },
            maker.route(.put, Self.one, nil) { call in
                try await require(call, .updateVolumeAttachment)
                _ = try await call.read(Self.change)
                throw Self.missing(call.parameter("volume_id"))
            },
            maker.route(.delete, Self.one, nil) { call in try await refuse(call, .deleteVolumeAttachment) },
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

    private static let device = Shape.nullable(.string(1...255))

    /// Returns the form of a body that names a volume. The other members have no effect yet.
    private static func form(_ others: [FormMember<String>]) -> Form<String> {
        Form.object("", [.required("volumeId", \.self, .uuid)] + others).inside("volumeAttachment")
    }

    private static let new = form([
        .ignored("device", device), .ignored("tag", Form.tag.shape, since: tagSince),
        .ignored("delete_on_termination", .truth, since: endSince),
    ])
    private static let change = form([
        .ignored("device", device, since: endOfPresentSince), .ignored("tag", Form.tag.shape, since: endOfPresentSince),
        .ignored("delete_on_termination", .truth, since: endOfPresentSince), .ignored("serverId", .uuid, since: endOfPresentSince),
        .ignored("id", .uuid, since: endOfPresentSince),
    ])
}
