import CloudCore
import HTTPKit

/// A check of bodies by the JSON Schema that clients can read. It covers as much of JSON Schema as `MetadefSchemas`
/// uses.
struct MetadefSchemaCheck {
    let document: JSONObject

    /// Checks a body.
    ///
    /// - Throws: `CloudError.badRequest` that names the place and what was expected there.
    func check(_ body: JSONObject) throws {
        try check(.object(body), document, at: document["name"]?.string ?? "body")
    }

    private func check(_ value: JSON, _ schema: JSONObject, at path: String) throws {
        if let reference = schema["$ref"]?.string {
            let name = reference.split(separator: "/").last.map(String.init) ?? ""
            return try check(value, document["definitions"]?[name]?.object ?? [:], at: path)
        }
        for part in schema["allOf"]?.array ?? [] { try check(value, part.object ?? [:], at: path) }
        if let type = schema["type"]?.string, !Self.isType(type, value) {
            throw Shape.wrong(path, "a value of the type \(value.typeName) is not of the type \(type)")
        }
        if let words = schema["enum"]?.array, !words.contains(value) {
            let known = words.compactMap(\.string).map { "'\($0)'" }
            throw Shape.wrong(path, "it must be one of \(known.joined(separator: ", "))")
        }
        switch value {
        case .string(let text): try check(text, schema, at: path)
        case .integer, .number:
            if let minimum = schema["minimum"], Self.number(value) < Self.number(minimum) {
                throw Shape.wrong(path, "it must be at least \(minimum.text)")
            }
        case .array(let elements):
            if schema["uniqueItems"] == true, Set(elements).count != elements.count {
                throw Shape.wrong(path, "it has an element twice")
            }
            guard let item = schema["items"]?.object else { return }
            for (position, element) in elements.enumerated() { try check(element, item, at: "\(path)/\(position)") }
        case .object(let object): try check(object, schema, at: path)
        case .null, .bool: break
        }
    }

    /// Checks a text. Characters are counted as Unicode scalars, as in JSON Schema.
    private func check(_ text: String, _ schema: JSONObject, at path: String) throws {
        let length = Int64(text.unicodeScalars.count)
        if let least = schema["minLength"]?.integer, length < least { throw Shape.wrong(path, "it must not be empty") }
        if let most = schema["maxLength"]?.integer, length > most {
            throw Shape.wrong(path, "it must have at most \(most) characters")
        }
        guard !text.unicodeScalars.contains("\0") else { throw Shape.wrong(path, "it must not have a NUL character") }
    }

    private func check(_ object: JSONObject, _ schema: JSONObject, at path: String) throws {
        for name in schema["required"]?.array ?? [] {
            guard let name = name.string, object[name] == nil else { continue }
            throw Shape.wrong(path, "'\(name)' is a required property")
        }
        for (name, value) in object.members {
            let place = "\(path)/\(name.prefix(80))"
            if let names = schema["propertyNames"]?.object { try check(name, names, at: place) }
            if let member = schema["properties"]?[name]?.object {
                try check(value, member, at: place)
            } else if schema["additionalProperties"] == false {
                throw Shape.wrong(path, "'\(name.prefix(64))' is not a property that it can have")
            } else if let other = schema["additionalProperties"]?.object {
                try check(value, other, at: place)
            }
        }
    }

    private static func isType(_ type: String, _ value: JSON) -> Bool {
        switch (type, value) {
        case ("string", .string), ("boolean", .bool), ("array", .array), ("object", .object), ("integer", .integer),
            ("number", .integer), ("number", .number):
            true
        // A number without a fraction is an integer, however it is written.
        case ("integer", .number(let number)): number == number.rounded()
        default: false
        }
    }

    private static func number(_ value: JSON) -> Double {
        switch value {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: 0
        }
    }
}
