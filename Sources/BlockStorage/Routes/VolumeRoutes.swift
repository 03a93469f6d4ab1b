import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/volumes`.
struct VolumeRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let service: VolumeService

    private static let path = "/volumes/{volume_id}"
    private static let summarySince = 12
    private static let forceSince = 23

    var all: [Route] {
        [
            maker.route(.get, "/volumes", nil) { call in try await list(call, isDetailed: false) },
            maker.route(.get, "/volumes/detail", nil) { call in try await list(call, isDetailed: true) },
            maker.route(.get, "/volumes/summary", nil, since: Self.summarySince) { call in try await summary(call) },
            maker.route(.post, "/volumes", nil) { call in
                let wish = try VolumeWire.wish(try await call.read(VolumeWire.new(call.minor)))
                let made = try await VolumeCreation(service: service).create(wish, by: call.caller)
                return Self.answer(made, call, .accepted, isWhole: false)
            },
            maker.route(.get, Self.path, nil) { call in
                Self.answer(try await service.get(call.call.id("volume_id"), by: call.caller), call, .ok, isWhole: true)
            },
            maker.route(.put, Self.path, nil) { call in
                let change = try await call.read(VolumeWire.change(call.minor))
                let changed = try await service.update(call.call.id("volume_id"), change, by: call.caller)
                return Self.answer(changed, call, .ok, isWhole: false)
            },
            maker.route(.get, Self.path + "/encryption", nil) { call in
                let volume = try await service.get(call.call.id("volume_id"), by: call.caller).volume
                try call.caller.require(.showVolumeEncryption, of: volume.projectID)
                // No volume is encrypted yet.
                return .json { $0.member("encryption_key_id", nil as String?) }
            },
            maker.route(.delete, Self.path, nil) { call in
                let cascade = try call.truth("cascade")
                let isForced = try call.minor >= Self.forceSince && call.truth("force")
                try await service.delete(
                    call.call.id("volume_id"), cascade: cascade, force: isForced ? .forceDelete : nil, by: call.caller)
                return .accepted
            },
        ]
    }

    static func answer(
        _ view: VolumeView, _ call: VolumeCall, _ status: HTTPResponse.Status, isWhole: Bool
    ) -> Reply {
        var reply = Reply.json(status) { json in
            json.object("volume") { VolumeWire(call).write(view, isWhole: isWhole, &$0) }
        }
        if let progress = view.progress { reply.headers[.progress] = "\(progress)" }
        return reply
    }

    private func list(_ call: VolumeCall, isDetailed: Bool) async throws -> Reply {
        let query = try ListRequest(call, hasCount: true)
        let found = try await VolumeLister(service: service).list(query, by: call.caller)
        let wire = VolumeWire(call)
        return try await call.page(
            ("volumes", "volumes_links"), at: isDetailed ? "volumes/detail" : "volumes", found.volumes,
            id: \.volume.id.text, count: found.count
        ) { if isDetailed { wire.write($0, isWhole: true, &$1) } else { wire.brief($0, &$1) } }
    }

    private func summary(_ call: VolumeCall) async throws -> Reply {
        let request = try ListRequest(call)
        let found = try await VolumeLister(service: service).summary(.init(filters: request.filters), by: call.caller)
        return .json { json in
            json.object("volume-summary") { json in
                json.member("total_count", found.count)
                json.member("total_size", found.size)
                guard call.minor >= VolumeLister.metadataSince else { return }
                json.object("metadata") { json in
                    for (name, values) in found.metadata { json.array(dynamic: name, of: values) { $0.string($1) } }
                }
            }
        }
    }
}
