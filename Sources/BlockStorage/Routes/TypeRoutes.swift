import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/types`.
struct TypeRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let types: VolumeTypeService

    private static let path = "/types/{type_id}"

    var all: [Route] {
        [
            maker.route(.get, "/types", nil) { call in try await list(call) },
            maker.route(.post, "/types", .createType) { call in
                let new = try await call.read(Self.new)
                let world = types.context.world
                var type = VolumeType(
                    id: ID(world.random.uuid()), name: new.name, description: new.description, isPublic: new.isPublic,
                    createdAt: world.now)
                type.extraSpecs = new.extraSpecs
                return Self.changed(try await types.create(type), showsAccess: call.caller.may(.showTypeAccess))
            },
            maker.route(.get, Self.path, nil) { call in
                Self.answer(try await types.get(call.parameter("type_id"), by: call.caller), call)
            },
            maker.route(.put, Self.path, .updateType) { call in
                let change = try await call.read(Self.change)
                if let name = change.name, name.trimmed.isEmpty, !name.isEmpty {
                    throw CloudError.badRequest("Volume type name can not be empty.")
                }
                guard change.name != nil || change.description != nil || change.isPublic != nil else {
                    throw CloudError.badRequest(
                        "Specify volume type name, description, is_public or a combination thereof.")
                }
                let changed = try await types.update(call.call.id("type_id"), change, by: call.caller)
                return Self.changed(changed, showsAccess: false)
            },
            maker.route(.delete, Self.path, .deleteType) { call in
                try await types.delete(call.call.id("type_id"), by: call.caller)
                return .accepted
            },
        ]
    }

    // MARK: Bodies

    private struct New: Sendable {
        var name = ""
        var description: String?
        var extraSpecs = JSONObject()
        var isPublic = true
    }

    private static let new = Form.object(
        New(),
        [
            .required("name", \.name, .filledName), .optional("description", \.description, .printable),
            .optional("extra_specs", \.extraSpecs, .pairs(.propertyName, .nullable(.string(0...255)))),
            .optional("os-volume-type-access:is_public", \.isPublic, .truth),
        ]
    ).inside("volume_type")

    private static let change = Form.object(
        VolumeTypeService.Change(),
        [
            .optional("name", \.name, .nullable(.string(1...255))),
            .optional("description", \.description, .printable), .optional("is_public", \.isPublic, .truth),
        ]
    ).inside("volume_type")

    // MARK: Answers

    private func list(_ call: VolumeCall) async throws -> Reply {
        let found = try await types.list(try ListRequest(call), by: call.caller)
        return try await call.page(("volume_types", "volume_type_links"), at: "types", found, id: \.id.text) {
            Self.write($0, call.caller, &$1)
        }
    }

    /// Returns the answer to a creation or a change: it has fewer members than that to a show.
    private static func changed(_ type: VolumeType, showsAccess: Bool) -> Reply {
        .json { json in
            json.object("volume_type") { json in
                json.member("id", type.id)
                json.member("name", type.name)
                json.member("is_public", type.isPublic)
                json.object("extra_specs") { $0.members(of: type.extraSpecs) }
                json.member("description", type.description)
                if showsAccess { json.member("os-volume-type-access:is_public", type.isPublic) }
            }
        }
    }

    private static func answer(_ type: VolumeType, _ call: VolumeCall) -> Reply {
        .json { json in json.object("volume_type") { write(type, call.caller, &$0) } }
    }

    private static func write(_ type: VolumeType, _ caller: Caller, _ json: inout JSONWriter) {
        json.member("id", type.id)
        json.member("name", type.name)
        json.member("is_public", type.isPublic)
        json.member("description", type.description)
        if caller.may(.showTypeSpecs) {
            json.object("extra_specs") { $0.members(of: specs(type, for: caller)) }
        }
        if caller.may(.showTypeQoS) { json.member("qos_specs_id", type.qosID) }
        if caller.may(.showTypeAccess) { json.member("os-volume-type-access:is_public", type.isPublic) }
    }

    /// Returns the extra specs that a caller may see.
    static func specs(_ type: VolumeType, for caller: Caller) -> JSONObject {
        if caller.may(.readSensitiveSpecs) { return type.extraSpecs }
        return JSONObject(type.extraSpecs.members.filter { VolumeType.visibleSpecs.contains($0.key) })
    }
}
