import Access
import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/os-snapshots`, which end with 2.35. Block Storage has the snapshots.
struct SnapshotViewRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let others: any OtherAPIsNeed

    private static let path = "/os-snapshots/{snapshot_id}"

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
        [
            list("/os-snapshots", .listSnapshotViews), list("/os-snapshots/detail", .detailSnapshotViews),
            maker.route(.post, "/os-snapshots", .createSnapshotByView, until: OtherAPIs.last) { call in
                let new = try await call.read(Self.new)
                return Self.answer(
                    try await snapshots(call).create([
                        "volume_id": .string(new.volumeID), "force": .bool(new.takesUsed ?? false),
                        "name": new.name.map(JSON.string), "description": new.description.map(JSON.string),
                    ]))
            },
            maker.route(.get, Self.path, .showSnapshotView, until: OtherAPIs.last) { call in
                Self.answer(try await snapshots(call).get(call.parameter("snapshot_id")))
            },
            maker.route(.delete, Self.path, .deleteSnapshotByView, until: OtherAPIs.last) { call in
                try await snapshots(call).delete(call.parameter("snapshot_id"))
                return .accepted
            },
        ]
    }

    private func snapshots(_ call: ComputeCall) -> StorageThings { StorageThings(.snapshot, others, call) }

    /// Returns the route of a list. Both lists have the same members, as in the reference.
    private func list(_ path: String, _ action: Action) -> Route {
        maker.route(.get, path, action, until: OtherAPIs.last, query: StorageThings.listQuery) { call in
            let found = try await snapshots(call).list(call)
            return try await .page(of: found.count) {
                .json { json in
                    json.array("snapshots", of: found) { json, snapshot in json.object { Self.write(snapshot, &$0) } }
                }
            }
        }
    }

    private static func answer(_ snapshot: JSON) -> Reply {
        .json { json in json.object("snapshot") { write(snapshot, &$0) } }
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
