import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/qos-specs`.
struct QoSRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let service: QoSService

    private static let path = "/qos-specs/{qos_id}"

    var all: [Route] { ofSpecs + ofTypes }

    private var ofSpecs: [Route] {
        [
            maker.route(.get, "/qos-specs", .listQoS) { call in
                let found = try await service.list(try ListRequest(call))
                return try await call.page(("qos_specs", "qos_specs_links"), at: "qos-specs", found, id: \.id.text) {
                    Self.write($0, &$1)
                }
            },
            maker.route(.post, "/qos-specs", .createQoS) { call in
                let new = try await call.read(Self.new)
                return Self.answer(try await service.create(new.name, new.specs), call)
            },
            maker.route(.get, Self.path, .getQoS) { call in
                Self.answer(try await service.get(call.call.id("qos_id")), call)
            },
            maker.route(.put, Self.path, .updateQoS) { call in
                let values = Form<JSONObject>.pairs(.propertyName, .nullable(.string(0...255)))
                let given = try await call.read(values.inside("qos_specs"))
                try await service.update(call.call.id("qos_id"), given)
                return .json { json in json.object("qos_specs") { $0.members(of: given) } }
            },
            maker.route(.delete, Self.path, .deleteQoS) { call in
                try await service.delete(call.call.id("qos_id"), isForced: try call.truth("force"))
                return .accepted
            },
            maker.route(.put, Self.path + "/delete_keys", .deleteQoS) { call in
                let keys = try await call.read(Form.array(.string(1...255), unique: true).inside("keys"))
                try await service.remove(keys, of: call.call.id("qos_id"))
                return .accepted
            },
        ]
    }

    // The reference changes associations by GET. Clients know no other way.
    private var ofTypes: [Route] {
        [
            maker.route(.get, Self.path + "/associations", .listQoS) { call in
                let types = try await service.associations(of: call.call.id("qos_id"))
                return .json { json in
                    json.array("qos_associations", of: types) { json, type in
                        json.object { json in
                            json.member("association_type", "volume_type")
                            json.member("name", type.name)
                            json.member("id", type.id)
                        }
                    }
                }
            },
            maker.route(.get, Self.path + "/associate", .updateQoS) { call in
                try await associate(call, isWanted: true)
            },
            maker.route(.get, Self.path + "/disassociate", .updateQoS) { call in
                try await associate(call, isWanted: false)
            },
            maker.route(.get, Self.path + "/disassociate_all", .updateQoS) { call in
                try await service.disassociateAll(call.call.id("qos_id"))
                return .accepted
            },
        ]
    }

    private func associate(_ call: VolumeCall, isWanted: Bool) async throws -> Reply {
        guard let type = call.query("vol_type_id"), !type.isEmpty else {
            throw CloudError.badRequest("Volume Type id must not be None.")
        }
        try await service.associate(call.call.id("qos_id"), with: ID(type), isWanted: isWanted, by: call.caller)
        return .accepted
    }

    private struct New: Sendable {
        var name = ""
        var specs = JSONObject()
    }

    private static let new = Form<New>(
        .object([.init("name", .string(0...Int.max), required: true)], open: true)
    ) { json, _ in
        guard var specs = json.object, let name = specs["name"]?.string?.trimmed else { return New() }
        guard (1...255).contains(name.unicodeScalars.count) else {
            let words = name.isEmpty ? "can not be empty." : "can not be greater than 255 characters."
            throw CloudError.badRequest("An invalid 'name' value was provided. The 'name' \(words)")
        }
        specs["name"] = nil
        return New(name: name, specs: specs)
    }.inside("qos_specs")

    private static func answer(_ specs: QoSSpecs, _ call: VolumeCall) -> Reply {
        .json { json in
            json.object("qos_specs") { write(specs, &$0) }
            Links(call).write(&json, "qos-specs", specs.id.text)
        }
    }

    private static func write(_ specs: QoSSpecs, _ json: inout JSONWriter) {
        json.member("id", specs.id)
        json.member("name", specs.name)
        json.member("consumer", specs.consumer)
        json.object("specs") { $0.members(of: specs.specs) }
    }
}
