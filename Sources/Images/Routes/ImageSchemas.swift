import CloudCore
import HTTPKit

/// The routes of `/v2/schemas/…`: images and members in JSON Schema, from the table by which bodies are checked.
enum ImageSchemas {
    private static func links(_ pairs: [(String, String)]) -> JSON {
        .array(pairs.map { ["rel": .string($0.0), "href": .string("{\($0.1)}")] })
    }

    static let image: JSON = [
        "name": "image", "properties": .object(JSONObject(ImageFields.all.map { ($0.name, $0.schema) })),
        "additionalProperties": ["type": "string"],
        "links": links([("self", "self"), ("enclosure", "file"), ("describedby", "schema")]),
    ]

    static let images: JSON = [
        "name": "images",
        "properties": [
            "images": ["type": "array", "items": image], "first": ["type": "string"], "next": ["type": "string"], "schema": ["type": "string"],
        ],
        "links": links([("first", "first"), ("next", "next"), ("describedby", "schema")]),
    ]

    private static let memberProperties: JSON = [
        "member_id": ["type": "string", "description": "The project that the image is shared with"],
        "image_id": ["type": "string", "description": "The image", "pattern": .string(ImageFields.idPattern)],
        "created_at": ["type": "string", "description": "Since when it is shared"],
        "updated_at": ["type": "string", "description": "When that last changed"],
        "status": [
            "type": "string", "description": "What the project says to it",
            "enum": .array(ImageMember.Status.allCases.map { .string($0.rawValue) }),
        ],
        "schema": ["readOnly": true, "type": "string"],
    ]

    static let member: JSON = ["name": "member", "properties": memberProperties]

    static let members: JSON = [
        "name": "members",
        "properties": [
            "members": ["type": "array", "items": member],
            "schema": ["type": "string"],
        ],
        "links": links([("describedby", "schema")]),
    ]

    static let all: [Route] = [("image", image), ("images", images), ("member", member), ("members", members)].map { name, schema in
        .get("/v2/schemas/\(name)") { call in
            _ = try await call.caller()
            return .json(bytes: Array(schema.text.utf8))
        }
    }
}
