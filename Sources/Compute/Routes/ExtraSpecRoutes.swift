import CloudCore
import HTTPKit
import HTTPTypes

/// The extra specs of a flavor.
struct ExtraSpecRoutes: Sendable {
    let endpoint: Endpoint
    let flavors: FlavorService

    private static let path = "/flavors/{flavor_id}/os-extra_specs"
    /// Numbers are taken too, and kept as text.
    private static let value = BodyShape.either([.text(0...255), .number(above: -.infinity, most: .infinity)])

    var all: [Route] {
        [
            endpoint.route(.get, Self.path, .listExtraSpecs) { call in
                let flavor = try await flavors.get(call.call.id("flavor_id"), by: call.caller)
                return .json { FlavorWire.specs("extra_specs", flavor.extraSpecs, &$0) }
            },
            endpoint.route(.post, Self.path, .createExtraSpecs) { call in
                let body = try await call.body(.object([("extra_specs", .map(.metadataKey, Self.value))], required: ["extra_specs"]))
                try await flavors.setExtraSpecs(try Self.specs(body["extra_specs"], call.minor), of: call.call.id("flavor_id"), by: call.caller)
                return Self.echo(body)
            },
            endpoint.route(.get, Self.path + "/{key}", .showExtraSpecs) { call in
                let key = call.parameter("key")
                let value = try await flavors.extraSpec(key, of: call.call.id("flavor_id"), by: call.caller)
                return Self.echo([key: .string(value)])
            },
            endpoint.route(.put, Self.path + "/{key}", .updateExtraSpecs) { call in
                let body = try await call.body(.map(.metadataKey, Self.value, 1...1))
                let specs = try Self.specs(body, call.minor)
                guard specs[call.parameter("key")] != nil else { throw CloudError.badRequest("Request body and URI mismatch") }
                try await flavors.setExtraSpecs(specs, of: call.call.id("flavor_id"), by: call.caller)
                return Self.echo(body)
            },
            endpoint.route(.delete, Self.path + "/{key}", .deleteExtraSpecs) { call in
                try await flavors.deleteExtraSpec(call.parameter("key"), of: call.call.id("flavor_id"), by: call.caller)
                return .ok
            },
        ]
    }

    private static let checkedSince = 86

    private static func specs(_ given: JSON?, _ minor: Int) throws -> [String: String] {
        var specs: [String: String] = [:]
        for (key, value) in given?.object?.members ?? [] {
            let text = value.string ?? value.text
            if minor >= checkedSince { try ExtraSpecs.check(key, text) }
            specs[key] = text
        }
        return specs
    }

    private static func echo(_ body: JSON) -> Reply { .json(bytes: Array(body.text.utf8)) }
}
