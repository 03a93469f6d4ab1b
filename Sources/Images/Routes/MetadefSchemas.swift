import CloudCore

/// The JSON Schemas of metadata definitions, which `/v2/schemas/metadefs` publishes and by which bodies are checked.
/// Names, types and lengths are Glance's. Glance leaves some bounds open and then cannot store the values; those bounds
/// are closed here.
enum MetadefSchemas {
    static let namespace = document(
        "namespace", required: ["namespace"], definitions: definitions,
        [
            "namespace": text(1...80, "The name, unique in the cloud."),
            "display_name": text(0...80, "The name that people are shown."),
            "description": text(0...500, "What the namespace is for."),
            "visibility": ["type": "string", "description": "Who sees it.", "enum": ["public", "private"]],
            "protected": ["type": "boolean", "description": "Whether it and what is in it cannot be deleted."],
            "owner": text(1...255, "The project that it belongs to."),
            "created_at": moment("creation"), "updated_at": moment("last change"), "schema": link, "self": link,
            "resource_type_associations": ["type": "array", "items": closed(associationMembers, required: ["name"])],
            "properties": ["$ref": "#/definitions/property"],
            "objects": ["type": "array", "items": closed(objectMembers, required: ["name"])],
            "tags": ["type": "array", "items": closed(tagMembers, required: ["name"])],
        ])

    static let object = document("object", required: ["name"], definitions: definitions, objectMembers)
    static let property = document(
        "property", required: ["type", "title", "name"],
        definitions: [
            "positiveInteger": positiveInteger, "positiveIntegerDefault0": positiveIntegerDefault0, "stringArray": stringArray,
        ],
        propertyMembers)
    static let tag = document("tag", required: ["name"], tagMembers)
    static let association = document("resource_type_association", required: ["name"], associationMembers)

    /// The schema of bodies that make several tags at once; it is not published.
    static let tags = document(
        "tags", required: ["tags"],
        ["tags": ["type": "array", "items": closed(["name": tagMembers["name"] ?? .null], required: ["name"])]])

    /// All documents, by their path below `/v2/schemas/metadefs`.
    static let all: [(path: String, document: JSONObject)] = [
        ("namespace", namespace), ("namespaces", collection("namespaces", of: namespace)),
        ("object", object), ("objects", collection("objects", of: object)),
        ("property", property), ("properties", collection("properties", of: property, isDictionary: true)),
        ("tag", tag), ("tags", collection("tags", of: tag)),
        ("resource_type", association), ("resource_types", collection("resource_type_associations", of: association)),
    ]

    // MARK: Members

    private static let objectMembers: JSONObject = [
        "name": text(1...80), "description": ["type": "string"], "required": ["$ref": "#/definitions/stringArray"],
        "properties": ["$ref": "#/definitions/property"], "schema": link, "self": link,
        "created_at": moment("creation"), "updated_at": moment("last change"),
    ]

    private static let tagMembers: JSONObject = [
        "name": text(1...80), "created_at": moment("creation"), "updated_at": moment("last change"),
    ]

    private static let associationMembers: JSONObject = [
        "name": text(1...80, "The type's name, as orchestration calls it: OS::Nova::Flavor."),
        "prefix": text(0...80, "What the properties' names begin with on such a resource, with the separator."),
        "properties_target": text(0...80, "Which of the resource's sets of metadata is meant."),
        "created_at": moment("association"), "updated_at": moment("last change"),
    ]

    private static let types: JSON = [
        "type": "string", "enum": ["array", "boolean", "integer", "number", "object", "string", nil],
    ]

    /// The members of a property's definition, in the terms of JSON Schema.
    private static let propertyMembers: JSONObject = [
        "name": text(1...80), "title": ["type": "string"], "description": ["type": "string"],
        "operators": ["type": "array", "items": ["type": "string"]], "type": types,
        "required": ["$ref": "#/definitions/stringArray"], "minimum": ["type": "number"], "maximum": ["type": "number"],
        "maxLength": ["$ref": "#/definitions/positiveInteger"], "minLength": ["$ref": "#/definitions/positiveIntegerDefault0"],
        "pattern": ["type": "string", "format": "regex"], "enum": ["type": "array"], "readonly": ["type": "boolean"],
        "confidential": ["type": "boolean"], "default": [:],
        "items": closed(["type": types, "enum": ["type": "array"]]),
        "maxItems": ["$ref": "#/definitions/positiveInteger"], "minItems": ["$ref": "#/definitions/positiveIntegerDefault0"],
        "uniqueItems": ["type": "boolean", "default": false], "additionalItems": ["type": "boolean"],
    ]

    // MARK: Definitions

    private static let positiveInteger: JSON = ["type": "integer", "minimum": 0]
    private static let positiveIntegerDefault0: JSON = ["allOf": [["$ref": "#/definitions/positiveInteger"], ["default": 0]]]
    private static let stringArray: JSON = ["type": "array", "items": ["type": "string"], "uniqueItems": true]

    private static let definitions: JSONObject = [
        "positiveInteger": positiveInteger, "positiveIntegerDefault0": positiveIntegerDefault0, "stringArray": stringArray,
        "property": [
            "type": "object", "propertyNames": ["minLength": 1, "maxLength": 80],
            "additionalProperties": closed(propertyMembers, required: ["title", "type"]),
        ],
    ]

    // MARK: Forms

    private static let link: JSON = ["readOnly": true, "type": "string"]

    private static func text(_ lengths: ClosedRange<Int>, _ description: String? = nil) -> JSON {
        var members: JSONObject = ["type": "string", "maxLength": .integer(Int64(lengths.upperBound))]
        if lengths.lowerBound > 0 { members["minLength"] = .integer(Int64(lengths.lowerBound)) }
        if let description { members["description"] = .string(description) }
        return .object(members)
    }

    private static func moment(_ what: String) -> JSON {
        ["type": "string", "readOnly": true, "description": .string("Date and time of the \(what)."), "format": "date-time"]
    }

    private static func closed(_ members: JSONObject, required: [JSON] = []) -> JSON {
        var schema: JSONObject = ["type": "object", "properties": .object(members), "additionalProperties": false]
        if !required.isEmpty { schema["required"] = .array(required) }
        return .object(schema)
    }

    private static func document(
        _ name: String, required: [JSON], definitions: JSONObject? = nil, _ members: JSONObject
    ) -> JSONObject {
        var schema: JSONObject = [
            "name": .string(name), "properties": .object(members), "additionalProperties": false, "required": .array(required),
        ]
        if let definitions { schema["definitions"] = .object(definitions) }
        return schema
    }

    /// Returns the schema of a list of items. The items' definitions are at the top, where the references look for
    /// them.
    private static func collection(_ name: String, of item: JSONObject, isDictionary: Bool = false) -> JSONObject {
        var inner = item
        inner["definitions"] = nil
        // In a dictionary the name is the key.
        if isDictionary { inner["required"] = ["type", "title"] }
        let list: JSON = isDictionary
            ? ["type": "object", "additionalProperties": .object(inner)] : ["type": "array", "items": .object(inner)]
        var schema: JSONObject = [
            "name": .string(name),
            "properties": .object([
                name: list, "first": ["type": "string"], "next": ["type": "string"], "schema": ["type": "string"],
            ]),
            "links": [
                ["rel": "first", "href": "{first}"], ["rel": "next", "href": "{next}"],
                ["rel": "describedby", "href": "{schema}"],
            ],
        ]
        if let definitions = item["definitions"] { schema["definitions"] = definitions }
        return schema
    }
}
