import Access
import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/os-snapshots`, which end with 2.35. Block Storage has the snapshots.
struct SnapshotViewRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let others: any OtherAPIsNeed

    private var views: StorageViewRoutes {
        StorageViewRoutes(maker: maker, others: others, noun: .snapshot, path: "/os-snapshots", write: Self.write)
    }

    private struct New: Sendable {
        var volumeID = ""
        var takesUsed: Bool?
        var name: String?
        var description: String?
    }
    /// A text of Block Storage, which refuses longer ones.
    private static let short = Form.string(0...255)
    private static let new = Form.object(
        New(),
        [
            .required("volume_id", \.volumeID, short), .optional("force", \.takesUsed, .truth),
            .optional("display_name", \.name, short), .optional("display_description", \.description, short),
        ]
    ).inside("snapshot")

    var all: [Route] {
        views.lists(.listSnapshotViews, .detailSnapshotViews) + [
            maker.route(.post, views.path, .createSnapshotByView, until: OtherAPIs.last) { call in
                let new = try await call.read(Self.new)
                return views.answer(
                    try await views.things(call).create([
                        "volume_id": .string(new.volumeID), "force": .bool(new.takesUsed ?? false),
                        "name": new.name.map(JSON.string), "description": new.description.map(JSON.string),
                    ]))
            }
        ] + views.one(.showSnapshotView, .deleteSnapshotByView)
    }

    private static func write(_ snapshot: JSON, _ json: inout JSONWriter) {
        json.member("id", snapshot["id"] ?? .null)
        json.member("volumeId", snapshot["volume_id"] ?? .null)
        json.member("status", snapshot["status"] ?? .null)
        json.member("size", snapshot["size"] ?? .null)
        json.member("createdAt", snapshot["created_at"] ?? .null)
        json.member("displayName", snapshot["name"] ?? .null)
        json.member("displayDescription", snapshot["description"] ?? .null)
    }
}
