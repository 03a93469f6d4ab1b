import CloudCore
import HTTPKit
import Resources

/// Reads bodies: one object under the noun's name, or a list of objects under its plural.
enum NetworkingBody {
    static func new<R: NetworkingResource>(from body: JSONObject) throws -> (given: [Given<R>], isBulk: Bool) {
        let (schema, shape) = (R.schema, R.schema.shapes.create)
        guard let many = body[schema.plural] else { return ([try only(body, schema, shape)], false) }
        guard let array = many.array, !array.isEmpty, array.count <= Limits.request.bulk.most, body.count == 1 else {
            throw CloudError.badRequest("Resources required")
        }
        // An item of the list may be wrapped in the noun's name, as a single object is.
        return (try array.map { try one($0.object?.count == 1 ? $0[schema.singular] ?? $0 : $0, schema, shape) }, true)
    }

    static func changes<R: NetworkingResource>(from body: JSONObject) throws -> Given<R> {
        try only(body, R.schema, R.schema.shapes.update)
    }

    /// Reads a body that has one object which does not describe a noun.
    static func read<Value>(_ form: Form<Value>, from body: JSONObject, _ name: String) throws -> Value {
        guard var given = body[name]?.object, body.count == 1 else { throw CloudError.badRequest("Unable to find '\(name)' in request body") }
        if case .object(let members) = form.shape {
            for member in members.named { given[member.name] = given[member.name].map(member.shape.converted) }
        }
        return try form.parse(.object(given), .house(name))
    }

    private static func only<R: NetworkingResource>(_ body: JSONObject, _ schema: ResourceSchema<R>, _ shape: Shape) throws -> Given<R> {
        ShapeTrace.note(.envelope(schema.singular, shape))
        guard let inner = body[schema.singular], body.count == 1 else {
            throw CloudError.badRequest("Unable to find '\(schema.singular)' in request body")
        }
        return try one(inner, schema, shape)
    }

    private static func one<R: NetworkingResource>(_ json: JSON, _ schema: ResourceSchema<R>, _ shape: Shape) throws -> Given<R> {
        guard var given = json.object else { throw CloudError.badRequest("'\(schema.singular)' must be an object.") }
        try merge("tenant_id", "project_id", &given)
        if schema.field("target_tenant") != nil { try merge("target_project", "target_tenant", &given) }
        for (key, value) in given.members {
            if let field = schema.field(key) { given[key] = field.shape.converted(value) }
        }
        try shape.check(.object(given), at: schema.singular)
        return try Given(given, at: schema.singular)
    }

    /// Merges two names of one attribute. Both may be present if their values are equal.
    private static func merge(_ twin: String, _ name: String, _ given: inout JSONObject) throws {
        guard let value = given[twin] else { return }
        guard given[name] == nil || given[name] == value else { throw CloudError.badRequest("'\(name)' and '\(twin)' do not match") }
        given[twin] = nil
        given[name] = value
    }
}
