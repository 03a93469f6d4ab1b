import CloudCore
import HTTPKit
import HTTPTypes
import HostModel

/// The routes of files that become volumes and snapshots, each under its older and its newer name.
struct ManagingRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let service: ManagingService

    /// The first minor versions with the newer names, with clusters in bodies, and with clusters in lists.
    private static let newerSince = 8
    private static let clusterSince = 16
    private static let listClusterSince = 17

    var all: [Route] {
        routes("/os-volume-manage", "/os-snapshot-manage", since: 0)
            + routes("/manageable_volumes", "/manageable_snapshots", since: Self.newerSince)
    }

    private func routes(_ volumes: String, _ snapshots: String, since: Int) -> [Route] {
        [
            maker.route(.post, volumes, nil) { call in
                let wish = try await call.read(Self.volume)
                try Self.require(since, call)
                let named = try HostOrCluster(
                    host: wish.host, cluster: wish.cluster, knowsClusters: call.minor >= Self.clusterSince)
                let made = try await service.manage(wish, in: named, by: call.caller)
                return VolumeRoutes.answer(made, call, .accepted, isWhole: false)
            },
            maker.route(.get, volumes, nil) { call in try await list(.volumes, since, isDetailed: false, call) },
            maker.route(.get, volumes + "/detail", nil) { call in
                try await list(.volumes, since, isDetailed: true, call)
            },
            maker.route(.post, snapshots, nil) { call in
                let wish = try await call.read(Self.snapshot)
                try Self.require(since, call)
                return SnapshotRoutes.answer(
                    try await service.manage(wish, by: call.caller), call, .accepted, isWhole: false)
            },
            maker.route(.get, snapshots, nil) { call in
                try await list(.snapshots, since, isDetailed: false, call)
            },
            maker.route(.get, snapshots + "/detail", nil) { call in
                try await list(.snapshots, since, isDetailed: true, call)
            },
        ]
    }

    /// Refuses an older version in the reference's words: it looks at the version after the body.
    private static func require(_ since: Int, _ call: VolumeCall) throws {
        guard call.minor >= since else {
            throw CloudError.badRequest("API version 3.\(call.minor) is not supported on this method.")
        }
    }

    // MARK: Bodies

    private static let reference = Form.json(.either([.openObject, .string(0...Int.max)]))
    private static let metadata = Form.nullable(Form<JSONObject>.metadata).mapped { $0 ?? JSONObject() }

    private static let volume = Form.object(
        ManagingService.Wish(),
        [
            .required("ref", \.reference, reference), .optional("host", \.host, .nullable(.string(1...255, .place))),
            .optional("cluster", \.cluster, .nullable(.string(0...255)), since: clusterSince),
            .optional("name", \.name, .nullable(.string(0...255))),
            .optional("description", \.description, .printable),
            .optional("volume_type", \.type, .nullable(.string(0...255))),
            .optional("availability_zone", \.zone, .nullable(.string(0...255))),
            .optional("bootable", \.isBootable, .truth), .optional("metadata", \.metadata, metadata),
        ]
    ).inside("volume")

    private static let snapshot = Form.object(
        ManagingService.SnapshotWish(),
        [
            .required("ref", \.reference, .json(.either([.openObject, .string(0...Int.max), .null]))),
            .required("volume_id", \.volumeID, .uuid), .optional("name", \.name, .nullable(.string(0...255))),
            .optional("description", \.description, .printable), .optional("metadata", \.metadata, metadata),
        ]
    ).inside("snapshot")

    // MARK: Lists

    private func list(
        _ kind: ManagingService.Future, _ since: Int, isDetailed: Bool, _ call: VolumeCall
    ) async throws -> Reply {
        try Self.require(since, call)
        let named = try HostOrCluster(
            host: call.query("host"), cluster: call.query("cluster"),
            knowsClusters: call.minor >= Self.listClusterSince)
        let request = try ListRequest(call, usual: "reference")
        let wrong = request.sort.map(\.key).filter { !["reference", "size"].contains($0) }
        guard wrong.isEmpty else {
            throw CloudError.badRequest("Invalid sort keys passed: \(wrong.joined(separator: ", ").prefix(255))")
        }
        let found = try Self.page(try await service.list(kind, in: named, by: call.caller), request)
        return .json { json in
            json.array(kind == .volumes ? "manageable-volumes" : "manageable-snapshots", of: found) { json, file in
                json.object { Self.write(file, kind, isDetailed: isDetailed, &$0) }
            }
        }
    }

    /// Returns the files of a page, in the order that the query asks for.
    private static func page(_ files: [ManageableVolume], _ request: ListRequest) throws -> [ManageableVolume] {
        let sorted = files.sorted { left, right in
            for (key, ascending) in request.sort {
                if key == "size", left.bytes != right.bytes { return (left.bytes < right.bytes) == ascending }
                if key == "reference", left.name != right.name { return (left.name < right.name) == ascending }
            }
            return left.name < right.name
        }
        var begin = 0
        if let marker = request.page.marker {
            guard let reference = try? JSON.parse(marker) else {
                throw VolumeRefusal.input(
                    "marker \(marker.prefix(255)) can not be analysed, please use json like format")
            }
            guard let at = sorted.firstIndex(where: { $0.name == reference["source-name"]?.string }) else {
                throw VolumeRefusal.input("marker not found: \(marker.prefix(255))")
            }
            begin = at + 1
        }
        return Array(sorted.dropFirst(begin + request.page.offset).prefix(request.page.limit))
    }

    private static func write(
        _ file: ManageableVolume, _ kind: ManagingService.Future, isDetailed: Bool, _ json: inout JSONWriter
    ) {
        json.object("reference") { $0.member("source-name", file.name) }
        json.member("size", VolumeWorld.gib(file.bytes))
        json.member("safe_to_manage", file.refusal == nil)
        // The file says nothing of the volume that it was a snapshot of.
        if kind == .snapshots { json.member("source_reference", nil as String?) }
        guard isDetailed else { return }
        json.member("reason_not_safe", file.refusal)
        json.member("cinder_id", nil as String?)
        json.member("extra_info", nil as String?)
    }
}
