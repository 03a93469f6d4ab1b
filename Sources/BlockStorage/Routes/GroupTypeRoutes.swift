import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/group_types` and of their specs.
struct GroupTypeRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let types: GroupTypeService

    private static let path = "/group_types/{group_type_id}"
    private static let since = 11

    var all: [Route] { ofTypes + ofSpecs }

    private var ofTypes: [Route] {
        [
            maker.route(.get, "/group_types", nil, since: Self.since) { call in try await list(call) },
            maker.route(.post, "/group_types", .createGroupType, since: Self.since) { call in
                Self.answer(try await types.create(try await call.read(Self.new)), call, .accepted)
            },
            maker.route(.get, Self.path, nil, since: Self.since) { call in
                // No type is the default one: the reference has one only if an operator names it.
                guard call.parameter("group_type_id") != "default" else {
                    throw CloudError.notFound("Default group type can not be found.")
                }
                return Self.answer(try await types.get(call.call.id("group_type_id"), by: call.caller), call, .ok)
            },
            maker.route(.put, Self.path, .updateGroupType, since: Self.since) { call in
                let change = try await call.read(Self.change)
                if let name = change.name, name.trimmed.isEmpty, !name.isEmpty {
                    throw CloudError.badRequest("Group type name can not be empty.")
                }
                guard change.name != nil || change.description != nil || change.isPublic != nil else {
                    throw CloudError.badRequest("Specify group type name, description or a combination thereof.")
                }
                let changed = try await types.update(call.call.id("group_type_id"), change, by: call.caller)
                return Self.answer(changed, call, .ok)
            },
            maker.route(.delete, Self.path, .deleteGroupType, since: Self.since) { call in
                try await types.delete(call.call.id("group_type_id"), by: call.caller)
                return .accepted
            },
        ]
    }

    private var ofSpecs: [Route] {
        let (path, one) = (Self.path + "/group_specs", Self.path + "/group_specs/{key}")
        @Sendable func id(_ call: VolumeCall) -> ID<GroupType> { call.call.id("group_type_id") }
        return [
            maker.route(.get, path, .listGroupSpecs, since: Self.since) { call in
                Self.answer(try await types.get(id(call), by: call.caller).specs)
            },
            maker.route(.post, path, .createGroupSpecs, since: Self.since) { call in
                let given = try await call.read(Self.specs)
                try await types.setSpecs(given, of: id(call), by: call.caller)
                return Self.answer(given, .accepted)
            },
            maker.route(.get, one, .getGroupSpec, since: Self.since) { call in
                let (specs, key) = (try await types.get(id(call), by: call.caller).specs, call.parameter("key"))
                guard let value = specs[key] else {
                    throw CloudError.notFound("Group Type \(id(call)) has no extra spec with key \(key).")
                }
                return .json { $0.members(of: [key: value]) }
            },
            maker.route(.put, one, .updateGroupSpec, since: Self.since) { call in
                let given = try await call.read(Self.spec)
                guard given[call.parameter("key")] != nil else {
                    throw CloudError.badRequest("Request body and URI mismatch")
                }
                try await types.setSpecs(given, of: id(call), by: call.caller)
                return .json { $0.members(of: given) }
            },
            maker.route(.delete, one, .deleteGroupSpec, since: Self.since) { call in
                try await types.removeSpec(call.parameter("key"), of: id(call), by: call.caller)
                return .accepted
            },
        ]
    }

    // MARK: Bodies

    private static let value = Shape.nullable(.string(0...255))
    private static let specs = Form.pairs(.specName, value).inside("group_specs")
    private static let spec = Form.pairs(.specName, value, 1...1)

    private static let new = Form.object(
        GroupTypeService.Wish(),
        [
            .required("name", \.name, .filledName), .optional("description", \.description, .printable),
            .optional("is_public", \.isPublic, .truth),
            .optional("group_specs", \.specs, .pairs(.propertyName, value)),
        ]
    ).inside("group_type")

    private static let change = Form.object(
        VolumeTypeService.Change(),
        [
            .optional("name", \.name, .shortText), .optional("description", \.description, .printable),
            .optional("is_public", \.isPublic, .truth),
        ]
    ).inside("group_type")

    // MARK: Answers

    private func list(_ call: VolumeCall) async throws -> Reply {
        let found = try await types.list(try ListRequest(call), by: call.caller)
        return try await call.page(("group_types", "group_type_links"), at: "group_types", found, id: \.id.text) {
            Self.write($0, call.caller, &$1)
        }
    }

    private static func answer(_ type: GroupType, _ call: VolumeCall, _ status: HTTPResponse.Status) -> Reply {
        .json(status) { json in json.object("group_type") { write(type, call.caller, &$0) } }
    }

    private static func answer(_ specs: JSONObject, _ status: HTTPResponse.Status = .ok) -> Reply {
        .json(status) { json in json.object("group_specs") { $0.members(of: specs) } }
    }

    private static func write(_ type: GroupType, _ caller: Caller, _ json: inout JSONWriter) {
        json.member("id", type.id)
        json.member("name", type.name)
        json.member("description", type.description)
        json.member("is_public", type.isPublic)
        if caller.may(.showGroupSpecs) { json.object("group_specs") { $0.members(of: type.specs) } }
    }
}
