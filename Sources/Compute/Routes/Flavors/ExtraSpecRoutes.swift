import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of a flavor's extra specs.
struct ExtraSpecRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let flavors: FlavorService

    private static let path = "/flavors/{flavor_id}/os-extra_specs"
    /// The form of a value. Numbers are accepted, too, and stored as text.
    private static let value = Form(.either([.string(0...255), .numeral(above: -.infinity, most: .infinity)])) { $0 }
    private static let specs = Form.entries(.metadataKey, value).inside("extra_specs")
    private static let spec = Form.entries(.metadataKey, value, 1...1)

    var all: [Route] {
        [
            maker.route(.get, Self.path, .listExtraSpecs) { call in
                let flavor = try await flavors.get(call.call.id("flavor_id"), by: call.caller)
                return .json { FlavorWire.specs("extra_specs", flavor.extraSpecs, &$0) }
            },
            maker.route(.post, Self.path, .createExtraSpecs) { call in
                let given = try await call.read(Self.specs)
                try await flavors.setExtraSpecs(try Self.texts(given, call.minor), of: call.call.id("flavor_id"), by: call.caller)
                return Self.echo(["extra_specs": .object(JSONObject(given.map { ($0.key, $0.value) }))])
            },
            maker.route(.get, Self.path + "/{key}", .showExtraSpecs) { call in
                let key = call.parameter("key")
                let value = try await flavors.extraSpec(key, of: call.call.id("flavor_id"), by: call.caller)
                return Self.echo([key: .string(value)])
            },
            maker.route(.put, Self.path + "/{key}", .updateExtraSpecs) { call in
                let given = try await call.read(Self.spec)
                let specs = try Self.texts(given, call.minor)
                guard specs[call.parameter("key")] != nil else { throw CloudError.badRequest("Request body and URI mismatch") }
                try await flavors.setExtraSpecs(specs, of: call.call.id("flavor_id"), by: call.caller)
                return Self.echo(.object(JSONObject(given.map { ($0.key, $0.value) })))
            },
            maker.route(.delete, Self.path + "/{key}", .deleteExtraSpecs) { call in
                try await flavors.deleteExtraSpec(call.parameter("key"), of: call.call.id("flavor_id"), by: call.caller)
                return .ok
            },
        ]
    }

    private static let checkedSince = 86

    private static func texts(_ given: [(key: String, value: JSON)], _ minor: Int) throws -> [String: String] {
        var specs: [String: String] = [:]
        for (key, value) in given {
            let text = value.string ?? value.text
            if minor >= checkedSince { try ExtraSpecs.check(key, text) }
            specs[key] = text
        }
        return specs
    }

    private static func echo(_ body: JSON) -> Reply { .json(bytes: Array(body.text.utf8)) }
}
