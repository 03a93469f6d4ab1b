import Access
import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/os-volumes`, which end with 2.35. Block Storage has the volumes.
struct VolumeViewRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let others: any OtherAPIsNeed

    private var views: StorageViewRoutes {
        StorageViewRoutes(maker: maker, others: others, noun: .volume, path: "/os-volumes", write: Self.write)
    }

    private struct New: Sendable {
        var size = 0
        var name: String?
        var description: String?
        var type: String?
        var metadata: JSON?
        var snapshotID: String?
        var zone: String?
    }
    /// A text of Block Storage, which refuses longer ones.
    private static let short = Form.string(0...255)
    private static let new = Form.object(
        New(),
        [
            .required("size", \.size, .whole(1...Shape.largestInteger)), .optional("display_name", \.name, short),
            .optional("display_description", \.description, short), .optional("volume_type", \.type, short),
            .optional("metadata", \.metadata, .json(.openObject)), .optional("snapshot_id", \.snapshotID, short),
            .optional("availability_zone", \.zone, short),
        ]
    ).inside("volume")

    var all: [Route] {
        views.lists(.listVolumeViews, .detailVolumeViews) + [
            maker.route(.post, views.path, .createVolumeByView, until: OtherAPIs.last) { call in
                try await create(call)
            }
        ] + views.one(.showVolumeView, .deleteVolumeByView)
    }

    private func create(_ call: ComputeCall) async throws -> Reply {
        let new = try await call.read(Self.new)
        if let snapshot = new.snapshotID { _ = try await StorageThings(.snapshot, others, call).get(snapshot) }
        let made = try await views.things(call).create([
            "size": .integer(Int64(new.size)), "name": new.name.map(JSON.string),
            "description": new.description.map(JSON.string), "volume_type": new.type.map(JSON.string),
            "metadata": new.metadata, "snapshot_id": new.snapshotID.map(JSON.string),
            "availability_zone": new.zone.map(JSON.string),
        ])
        var reply = views.answer(made)
        reply.headers[.location] = "\(Links(call).home)/os-volumes/\(made["id"]?.string ?? "")"
        return reply
    }

    // MARK: Views

    private static func write(_ volume: JSON, _ json: inout JSONWriter) {
        json.member("id", volume["id"] ?? .null)
        json.member("status", volume["status"] ?? .null)
        json.member("size", volume["size"] ?? .null)
        json.member("availabilityZone", volume["availability_zone"] ?? .null)
        json.member("createdAt", volume["created_at"] ?? .null)
        json.array("attachments", of: [volume["attachments"]?.array?.first]) { json, attachment in
            // A volume that nobody uses has one empty attachment, as in the reference.
            json.object { json in if let attachment { write(attachment, of: volume, &json) } }
        }
        json.member("displayName", volume["name"] ?? .null)
        json.member("displayDescription", volume["description"] ?? .null)
        json.member("volumeType", volume["volume_type"] ?? .null)
        json.member("snapshotId", volume["snapshot_id"] ?? .null)
        json.member("metadata", volume["metadata"] ?? [:])
    }

    private static func write(_ attachment: JSON, of volume: JSON, _ json: inout JSONWriter) {
        json.member("id", volume["id"] ?? .null)
        json.member("volumeId", volume["id"] ?? .null)
        json.member("serverId", attachment["server_id"] ?? .null)
        if let device = attachment["device"]?.string, !device.isEmpty { json.member("device", device) }
    }
}
