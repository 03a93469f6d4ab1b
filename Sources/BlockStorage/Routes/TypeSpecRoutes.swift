import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of the extra specs and the encryption of types, of the access to private types, and of `/default-types`.
struct TypeSpecRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let service: TypeSpecService

    private static let path = "/types/{type_id}/extra_specs"
    private static let defaultsSince = 62

    private static let value = Shape.nullable(.string(0...255))
    private static let specs = Form.pairs(.specName, value).inside("extra_specs")
    private static let spec = Form.pairs(.specName, value, 1...1)

    var all: [Route] { ofSpecs + ofEncryption + ofAccess + ofDefaults }

    private var ofSpecs: [Route] {
        @Sendable func id(_ call: VolumeCall) -> ID<VolumeType> { call.call.id("type_id") }
        return [
            maker.route(.get, Self.path, .listExtraSpecs) { call in
                let type = try await service.specs(of: id(call), by: call.caller)
                return .json { json in
                    json.object("extra_specs") { $0.members(of: TypeRoutes.specs(type, for: call.caller)) }
                }
            },
            maker.route(.post, Self.path, .createExtraSpecs) { call in
                let given = try await call.read(Self.specs)
                try await service.setSpecs(given, of: id(call), by: call.caller)
                return .json { json in json.object("extra_specs") { $0.members(of: given) } }
            },
            maker.route(.get, Self.path + "/{key}", .showExtraSpecs) { call in
                let type = try await service.specs(of: id(call), by: call.caller)
                let key = call.parameter("key")
                guard let value = TypeRoutes.specs(type, for: call.caller)[key] else {
                    throw TypeSpecService.missing(key, id(call))
                }
                return .json { $0.members(of: [key: value]) }
            },
            maker.route(.put, Self.path + "/{key}", .updateExtraSpecs) { call in
                let given = try await call.read(Self.spec)
                guard given[call.parameter("key")] != nil else {
                    throw CloudError.badRequest("Request body and URI mismatch")
                }
                try await service.setSpecs(given, of: id(call), by: call.caller)
                return .json { $0.members(of: given) }
            },
            maker.route(.delete, Self.path + "/{key}", .deleteExtraSpecs) { call in
                try await service.removeSpec(call.parameter("key"), of: id(call), by: call.caller)
                return .accepted
            },
        ]
    }

    /// No type is encrypted yet, so the answers are those of a type without encryption.
    private var ofEncryption: [Route] {
        [
            maker.route(.get, "/types/{type_id}/encryption", .getTypeEncryption) { call in
                _ = try await service.specs(of: call.call.id("type_id"), by: call.caller)
                return .json { _ in }
            },
            maker.route(.get, "/types/{type_id}/encryption/{key}", .getTypeEncryption) { call in
                let type = try await service.specs(of: call.call.id("type_id"), by: call.caller)
                throw CloudError.notFound("Volume type encryption for type \(type.id) does not exist.")
            },
        ]
    }

    private var ofAccess: [Route] {
        [
            maker.route(.get, "/types/{type_id}/os-volume-type-access", .listTypeAccess) { call in
                let id: ID<VolumeType> = call.call.id("type_id")
                let projects = try await service.projects(of: id, by: call.caller)
                return .json { json in
                    json.array("volume_type_access", of: projects) { json, project in
                        json.object { json in
                            json.member("volume_type_id", id)
                            json.member("project_id", project)
                        }
                    }
                }
            },
            maker.route(.post, "/types/{type_id}/action", nil) { call in
                let body = try await call.call.body.json()
                let id: ID<VolumeType> = call.call.id("type_id")
                let names = ["addProjectAccess", "removeProjectAccess"]
                guard body.count == 1, let name = body.keys.first, names.contains(name) else {
                    throw CloudError.badRequest(
                        "There is no such action: \(body.keys.joined(separator: ", ").prefix(255))")
                }
                let isAddition = name == names[0]
                try call.caller.require(isAddition ? .addTypeAccess : .removeTypeAccess)
                let form = Form.string(1...255).inside("project").inside(name)
                let project = try call.read(form, .object(body))
                if isAddition {
                    try await service.addAccess(project, to: id, by: call.caller)
                } else {
                    try await service.removeAccess(project, to: id, by: call.caller)
                }
                return .accepted
            },
        ]
    }

    private var ofDefaults: [Route] {
        let path = "/default-types/{project_id}"
        return [
            maker.route(.get, "/default-types", .listDefaultTypes, since: Self.defaultsSince) { _ in
                let found = try await service.defaults()
                return .json { json in
                    json.array("default_types", of: found) { json, one in
                        json.object { Self.write(one.project, one.type, &$0) }
                    }
                }
            },
            maker.route(.put, path, .setDefaultType, since: Self.defaultsSince) { call in
                let form = Form.string(1...255).inside("volume_type").inside("default_type")
                let (text, project) = (try await call.read(form), call.parameter("project_id"))
                return Self.answer(project, try await service.setDefault(text, of: project, by: call.caller))
            },
            maker.route(.get, path, .getDefaultType, since: Self.defaultsSince) { call in
                let project = call.parameter("project_id")
                return Self.answer(project, try await service.getDefault(of: project))
            },
            maker.route(.delete, path, .unsetDefaultType, since: Self.defaultsSince) { call in
                try await service.removeDefault(of: call.parameter("project_id"))
                return .noContent
            },
        ]
    }

    private static func answer(_ project: String, _ type: ID<VolumeType>) -> Reply {
        .json { json in json.object("default_type") { write(project, type, &$0) } }
    }

    private static func write(_ project: String, _ type: ID<VolumeType>, _ json: inout JSONWriter) {
        json.member("project_id", project)
        json.member("volume_type_id", type)
    }
}
