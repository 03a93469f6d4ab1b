import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of the metadata of volumes and of snapshots, which are the same but for the names.
struct MetadataRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let volumes: VolumeService
    let snapshots: SnapshotService

    /// The first minor version whose answers have an `ETag`, which a change may refer to.
    private static let tagsSince = 15

    private static let snapshotNames = Form.pairs(.metadataName, .string(0...255))
    private static let snapshotName = Form.pairs(.metadataName, .string(0...255), 1...1)
    private static let volumeName = Form.pairs(.propertyName, .string(0...255), 1...1)

    var all: [Route] { ofVolumes + ofSnapshots }

    private var ofVolumes: [Route] {
        let path = "/volumes/{volume_id}/metadata"
        let items = VolumeMetadata(service: volumes)
        @Sendable func id(_ call: VolumeCall) -> ID<Kind.Volume> { call.call.id("volume_id") }
        return [
            maker.route(.get, path, nil) { call in
                let metadata = try await items.get(id(call), by: call.caller)
                var reply = Self.answer("metadata", metadata)
                if call.minor >= Self.tagsSince { reply.headers[.eTag] = Self.tag(metadata) }
                return reply
            },
            maker.route(.post, path, nil) { call in
                let given = try await call.read(Form<JSONObject>.metadata.inside("metadata"))
                let new = try await items.set(given, .createMetadata, of: id(call), isWhole: false, by: call.caller)
                return Self.answer("metadata", new)
            },
            maker.route(.put, path, nil) { call in
                let given = try await call.read(Form<JSONObject>.metadata.inside("metadata"))
                try Self.requireTag(call, of: try await items.get(id(call), by: call.caller))
                let new = try await items.set(given, .updateMetadata, of: id(call), isWhole: true, by: call.caller)
                return Self.answer("metadata", new)
            },
            maker.route(.get, path + "/{key}", nil) { call in
                let metadata = try await items.get(id(call), by: call.caller)
                let key = call.parameter("key")
                guard let value = metadata[key] else { throw VolumeMetadata.missing(key, id(call)) }
                return Self.answer("meta", [key: value])
            },
            maker.route(.put, path + "/{key}", nil) { call in
                let given = try await call.read(Self.volumeName.inside("meta"))
                try Self.requireTag(call, of: try await items.get(id(call), by: call.caller))
                try Self.requireKey(call, given)
                _ = try await items.set(given, .updateMetadata, of: id(call), isWhole: false, by: call.caller)
                return Self.answer("meta", given)
            },
            maker.route(.delete, path + "/{key}", nil) { call in
                try await items.remove(call.parameter("key"), of: id(call), by: call.caller)
                return .ok
            },
        ]
    }

    private var ofSnapshots: [Route] {
        let path = "/snapshots/{snapshot_id}/metadata"
        @Sendable func id(_ call: VolumeCall) -> ID<Kind.Snapshot> { call.call.id("snapshot_id") }
        return [
            maker.route(.get, path, nil) { call in
                Self.answer("metadata", try await snapshots.metadata(of: id(call), by: call.caller))
            },
            maker.route(.post, path, nil) { call in
                let given = try await call.read(Self.snapshotNames.inside("metadata", open: true))
                let new = try await snapshots.setMetadata(given, of: id(call), isWhole: false, by: call.caller)
                return Self.answer("metadata", new)
            },
            maker.route(.put, path, nil) { call in
                let given = try await call.read(Self.snapshotNames.inside("metadata", open: true))
                let new = try await snapshots.setMetadata(given, of: id(call), isWhole: true, by: call.caller)
                return Self.answer("metadata", new)
            },
            maker.route(.get, path + "/{key}", nil) { call in
                let key = call.parameter("key")
                let metadata = try await snapshots.metadata(of: id(call), by: call.caller)
                guard let value = metadata[key] else { throw SnapshotService.missing(key, id(call)) }
                return Self.answer("meta", [key: value])
            },
            maker.route(.put, path + "/{key}", nil) { call in
                let given = try await call.read(Self.snapshotName.inside("meta", open: true))
                try Self.requireKey(call, given)
                _ = try await snapshots.setMetadata(given, of: id(call), isWhole: false, by: call.caller)
                return Self.answer("meta", given)
            },
            maker.route(.delete, path + "/{key}", nil) { call in
                try await snapshots.removeMetadata(call.parameter("key"), of: id(call), by: call.caller)
                return .ok
            },
        ]
    }

    private static func answer(_ key: StaticString, _ metadata: JSONObject) -> Reply {
        .json { json in json.object(key) { $0.members(of: metadata) } }
    }

    private static func requireKey(_ call: VolumeCall, _ given: JSONObject) throws {
        guard given[call.parameter("key")] != nil else { throw CloudError.badRequest("Request body and URI mismatch") }
    }

    // MARK: Tags

    private static let tagSpace = "0d9f9a4b-8f8e-4c0c-8b7a-0d1a5a0f5c21"

    /// Returns a text that differs when the metadata differs.
    private static func tag(_ metadata: JSONObject) -> String {
        UUIDText.derived(from: JSON.object(metadata).text, in: tagSpace)
    }

    /// Refuses a change of metadata that the caller has not seen.
    private static func requireTag(_ call: VolumeCall, of metadata: JSONObject) throws {
        guard call.minor >= tagsSince, let wanted = call.call.headers[.ifMatch], wanted != "*" else { return }
        let tags = wanted.split(separator: ",").map { String($0).trimmed.replacing("\"", with: "") }
        guard tags.contains(tag(metadata)) else {
            throw CloudError(.preconditionFailed, "The metadata was changed by another request.")
        }
    }
}
