import CloudCore
import HTTPKit
import Resources

/// How a body is read: one object under the noun's name, or a list of them under its plural.
enum NetworkingBody {
    private static let mostInBulk = 1000

    static func unwrap<R: NetworkingResource>(_ body: JSONObject, _ schema: ResourceSchema<R>) throws -> (bodies: [JSONObject], isBulk: Bool) {
        guard let many = body[schema.plural] else { return ([try unwrapOne(body, schema)], false) }
        guard let array = many.array, !array.isEmpty, array.count <= mostInBulk, body.count == 1 else { throw CloudError.badRequest("Resources required") }
        // An item may stand under its noun's name, as it does alone.
        return (try array.map { try one($0.object?.count == 1 ? $0[schema.singular] ?? $0 : $0, schema) }, true)
    }

    static func unwrapOne<R: NetworkingResource>(_ body: JSONObject, _ schema: ResourceSchema<R>) throws -> JSONObject {
        guard let inner = body[schema.singular], body.count == 1 else {
            throw CloudError.badRequest("Unable to find '\(schema.singular)' in request body")
        }
        return try one(inner, schema)
    }

    private static func one<R: NetworkingResource>(_ json: JSON, _ schema: ResourceSchema<R>) throws -> JSONObject {
        guard var given = json.object else { throw CloudError.badRequest("'\(schema.singular)' must be an object.") }
        try merge("tenant_id", "project_id", &given)
        if schema.field("target_tenant") != nil { try merge("target_project", "target_tenant", &given) }
        for (key, value) in given.members {
            if let field = schema.field(key) { given[key] = field.shape.converted(value) }
        }
        return given
    }

    /// Both names stand for one attribute; who uses both says the same.
    private static func merge(_ twin: String, _ name: String, _ given: inout JSONObject) throws {
        guard let value = given[twin] else { return }
        guard given[name] == nil || given[name] == value else { throw CloudError.badRequest("'\(name)' and '\(twin)' do not match") }
        given[twin] = nil
        given[name] = value
    }

    /// Sets what a checked body says.
    static func apply<R: NetworkingResource>(_ given: JSONObject, to resource: inout R) throws {
        for (key, value) in given.members {
            guard let field = R.schema.field(key) else { continue }
            guard field.setJSON(&resource, value) else {
                throw CloudError.badRequest("Invalid input for \(key). Reason: '\(String(value.text.prefix(200)))' is not what it can be.")
            }
        }
    }
}
