import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/os-volume-transfer`, and the newer ones of `/volume-transfers`, which know pages and can leave the
/// snapshots of a volume behind.
struct TransferRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let service: TransferService

    private static let names = (older: "os-volume-transfer", newer: "volume-transfers")
    private static let snapshotsSince = 55
    private static let historySince = 57
    private static let pagesSince = 59

    var all: [Route] { routes(Self.names.older, isNew: false) + routes(Self.names.newer, isNew: true) }

    private func routes(_ name: String, isNew: Bool) -> [Route] {
        let (path, one) = ("/" + name, "/\(name)/{transfer_id}")
        return [
            maker.route(.get, path, nil) { call in try await list(call, path: name, isNew, isDetailed: false) },
            maker.route(.get, path + "/detail", nil) { call in
                try await list(call, path: name + "/detail", isNew, isDetailed: true)
            },
            maker.route(.post, path, nil) { call in
                let made = try await service.create(try await call.read(isNew ? Self.new : Self.old), by: call.caller)
                return Self.answer(made.transfer, call, .accepted, key: made.key)
            },
            maker.route(.get, one, nil) { call in
                Self.answer(try await service.get(call.call.id("transfer_id"), by: call.caller), call, .ok)
            },
            maker.route(.delete, one, nil) { call in
                try await service.delete(call.call.id("transfer_id"), by: call.caller)
                return .accepted
            },
            maker.route(.post, one + "/accept", nil) { call in
                let key = try await call.read(Self.acceptance)
                let accepted = try await service.accept(call.call.id("transfer_id"), key: key, by: call.caller)
                return .json(.accepted) { json in json.object("transfer") { Self.brief(accepted, call, &$0) } }
            },
        ]
    }

    // MARK: Bodies

    private static let members: [FormMember<TransferService.Wish>] = [
        .required("volume_id", \.volumeID, .uuid), .optional("name", \.name, .words("name")),
    ]
    private static let old = Form.object(TransferService.Wish(), members).inside("transfer")
    private static let new = Form.object(
        TransferService.Wish(),
        members + [.optional("no_snapshots", \.leavesSnapshots, .truth, since: snapshotsSince)]
    ).inside("transfer")

    /// A key, which may be digits alone.
    private static let acceptance = Form<String>(
        .either([.string(0...Int.max), .integer(Int64.min...Int64.max)])
    ) { json, _ in json.string ?? json.text }.inside("auth_key").inside("accept")

    // MARK: Answers

    private func list(_ call: VolumeCall, path: String, _ isNew: Bool, isDetailed: Bool) async throws -> Reply {
        var query = try ListRequest(call)
        if !isNew || call.minor < Self.pagesSince {
            (query.sort, query.page.marker) = ([(key: "created_at", ascending: true)], nil)
        }
        let found = try await service.list(query, by: call.caller)
        return try await call.page(("transfers", "transfers_links"), at: path, found, id: \.id.text) {
            if isDetailed { Self.write($0, call, key: nil, &$1) } else { Self.brief($0, call, &$1) }
        }
    }

    private static func answer(
        _ transfer: VolumeTransfer, _ call: VolumeCall, _ status: HTTPResponse.Status, key: String? = nil
    ) -> Reply {
        .json(status) { json in json.object("transfer") { write(transfer, call, key: key, &$0) } }
    }

    private static func brief(_ transfer: VolumeTransfer, _ call: VolumeCall, _ json: inout JSONWriter) {
        json.member("id", transfer.id)
        json.member("volume_id", transfer.volumeID)
        json.member("name", transfer.name)
        Links(call).write(&json, names.older, transfer.id.text)
    }

    /// Writes a transfer.
    ///
    /// - Parameter key: the key, which only the answer to the creation has.
    private static func write(
        _ transfer: VolumeTransfer, _ call: VolumeCall, key: String?, _ json: inout JSONWriter
    ) {
        json.member("id", transfer.id)
        json.member("created_at", transfer.createdAt.iso8601MicrosecondsNoZone)
        json.member("name", transfer.name)
        json.member("volume_id", transfer.volumeID)
        if let key { json.member("auth_key", key) }
        Links(call).write(&json, names.older, transfer.id.text)
        if call.minor >= snapshotsSince { json.member("no_snapshots", transfer.leavesSnapshots) }
        guard call.minor >= historySince else { return }
        // A transfer that was accepted is not there any more.
        json.member("destination_project_id", nil as String?)
        json.member("source_project_id", transfer.projectID)
        json.member("accepted", false)
    }
}
