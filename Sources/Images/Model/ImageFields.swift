import CloudCore
import HTTPKit

/// A member of an image in the API, with its shape in bodies and its description in the schema.
struct ImageField: Sendable {
    let name: String
    let shape: Shape
    let summary: String
    var isReadOnly = false
    /// Further terms of JSON Schema that the shape does not have.
    var more: JSONObject = [:]

    /// The field in JSON Schema.
    var schema: JSON {
        var object = shape.schema
        for (key, value) in more.members { object[key] = value }
        object["description"] = .string(summary)
        if isReadOnly { object["readOnly"] = true }
        return .object(object)
    }
}

enum ImageFields {
    static let diskFormats = ["ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop"]
    static let containerFormats = ["ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"]
    private static let statuses = [
        "queued", "saving", "active", "killed", "deleted", "uploading", "importing", "pending_delete", "deactivated",
    ]
    static let idPattern = "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"
    private static let tags = Shape.array(.string(0...255), 0...Limits.thing.imageTags.most)
    private static let locations = Shape.array(location, 0...Limits.thing.imageLocations.most)
    static let location = Shape.object(
        [
            .init("url", .string(0...255), required: true), .init("metadata", .openObject, required: true),
            .init(
                "validation_data",
                .object([
                    .init("checksum", .string(32...32)), .init("os_hash_algo", .string(0...64), required: true),
                    .init("os_hash_value", .string(0...128), required: true),
                ])),
        ], open: true)

    private static func time(_ name: String, _ summary: String) -> ImageField {
        ImageField(name: name, shape: .string(0...65_535), summary: summary, isReadOnly: true)
    }

    static let all: [ImageField] = [
        ImageField(name: "id", shape: .string(36...36), summary: "An identifier for the image", more: ["pattern": .string(idPattern)]),
        ImageField(name: "name", shape: .nullable(.string(0...255)), summary: "What the image is called"),
        ImageField(name: "status", shape: .oneOf(statuses), summary: "What the image is, or what is being done to it", isReadOnly: true),
        ImageField(name: "visibility", shape: .oneOf(Image.Visibility.allCases.map(\.rawValue)), summary: "Who may see the image"),
        ImageField(name: "protected", shape: .boolean, summary: "Whether the image cannot be deleted"),
        ImageField(name: "os_hidden", shape: .boolean, summary: "Whether lists leave the image out unless they are asked for hidden ones"),
        ImageField(name: "checksum", shape: .nullable(.string(0...32)), summary: "MD5 of the data", isReadOnly: true),
        ImageField(name: "os_hash_algo", shape: .nullable(.string(0...64)), summary: "What os_hash_value is made with", isReadOnly: true),
        ImageField(name: "os_hash_value", shape: .nullable(.string(0...128)), summary: "Digest of the data, hexadecimal", isReadOnly: true),
        ImageField(name: "owner", shape: .nullable(.string(0...255)), summary: "The project that owns the image"),
        ImageField(name: "size", shape: .nullable(.integer(0...Int64.max)), summary: "Bytes of the data", isReadOnly: true),
        ImageField(
            name: "virtual_size", shape: .nullable(.integer(0...Int64.max)), summary: "Bytes of the disk that is in the data", isReadOnly: true),
        ImageField(name: "container_format", shape: .nullable(.oneOf(containerFormats)), summary: "What the disk is wrapped in"),
        ImageField(name: "disk_format", shape: .nullable(.oneOf(diskFormats)), summary: "What the disk's data is"),
        time("created_at", "When the image was registered"),
        time("updated_at", "When the image was last changed"),
        ImageField(name: "tags", shape: tags, summary: "Words for finding the image"),
        ImageField(name: "direct_url", shape: .text, summary: "Where the data lies", isReadOnly: true),
        ImageField(name: "min_ram", shape: .integer(0...0x7fff_ffff), summary: "MiB of memory that a server of the image needs"),
        ImageField(name: "min_disk", shape: .integer(0...0x7fff_ffff), summary: "GiB of disk that a server of the image needs"),
        ImageField(name: "self", shape: .text, summary: "The image's own URL", isReadOnly: true),
        ImageField(name: "file", shape: .text, summary: "The URL of the data", isReadOnly: true),
        ImageField(name: "stores", shape: .text, summary: "The stores that have the data, separated by commas", isReadOnly: true),
        ImageField(name: "schema", shape: .text, summary: "The URL of this description", isReadOnly: true),
        ImageField(name: "locations", shape: locations, summary: "Where the data lies"),
    ]

    static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// The names of members that no caller sets.
    static let readOnly = Set(all.filter(\.isReadOnly).map(\.name))
    /// The names that are kept for other uses.
    static let reserved: Set<String> = ["location", "deleted", "deleted_at"]
    /// The prefix of the properties that the service itself sets.
    static let reservedPrefix = "os_glance"
    /// Returns whether a caller may not use a name for a property.
    static func isReserved(_ name: String) -> Bool { reserved.contains(name) || name.hasPrefix(reservedPrefix) }

    /// The shape of the values of custom properties.
    private static let property = Shape.string(0...65_535)

    /// Checks some members of an image.
    ///
    /// - Throws: `CloudError.badRequest` that names the member.
    static func check(_ members: JSONObject) throws {
        for (name, value) in members.members {
            guard name.unicodeScalars.count <= 255 else {
                throw CloudError.badRequest("Custom property should not be greater than 255 characters.")
            }
            guard !name.utf8.contains(0) else { throw CloudError.badRequest("The name of a property must not have a NUL character.") }
            try (byName[name]?.shape ?? property).check(value, at: name)
            if name == "id", value.string?.wholeMatch(of: /[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}/) == nil {
                throw Shape.wrong("id", "it must be a UUID")
            }
        }
    }
}

extension Shape {
    /// The shape in JSON Schema, without what that cannot express.
    var schema: JSONObject {
        switch self {
        case .any, .null, .either: [:]
        case .boolean, .truth: ["type": "boolean"]
        case .integer, .whole: ["type": "integer"]
        case .number, .numeral: ["type": "number"]
        case .string(let lengths, _):
            lengths.upperBound == 65_535 ? ["type": "string"] : ["type": "string", "maxLength": .integer(Int64(lengths.upperBound))]
        case .oneOf(let words): ["type": "string", "enum": .array(words.map(JSON.string))]
        case .array(let shape, _, _): ["type": "array", "items": .object(shape.schema)]
        case .object(let members): Self.object(members.named)
        case .nullable(let shape): Self.nullable(shape.schema)
        }
    }

    private static func object(_ members: [Member]) -> JSONObject {
        let required = members.filter { $0.requiredSince != nil }.map { JSON.string($0.name) }
        return JSONObject(
            [
                ("type", "object"), ("properties", .object(JSONObject(members.map { ($0.name, .object($0.shape.schema)) }))),
            ] + (required.isEmpty ? [] : [("required", .array(required))]))
    }

    private static func nullable(_ schema: JSONObject) -> JSONObject {
        var schema = schema
        schema["type"] = .array([.string("null"), schema["type"] ?? .null])
        if let words = schema["enum"]?.array { schema["enum"] = .array([.null] + words) }
        return schema
    }
}
