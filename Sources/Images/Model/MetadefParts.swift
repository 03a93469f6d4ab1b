import CloudCore
import HTTPKit
import Resources

/// A part of a namespace. Its name is unique among its kind there, and identifies it in the API.
protocol MetadefPart: Resource where Noun == Self {
    /// The word for the kind in messages.
    static var noun: String { get }
    /// Whether the name is that of a resource type, which must exist first.
    static var isNamedAfterResourceType: Bool { get }
    var namespaceID: ID<MetadefNamespace> { get set }
    var name: String { get set }
    /// The place among parts that are made together, and so have the same time of creation.
    var position: Int { get set }
    var createdAt: Timestamp { get set }
    var updatedAt: Timestamp { get set }
}

extension MetadefPart {
    static var isNamedAfterResourceType: Bool { false }

    /// Returns a schema with the columns that all kinds have, and with `own`.
    fileprivate static func rows(
        _ singular: String, _ plural: String, table: String, _ own: [Field<Self>]
    ) -> ResourceSchema<Self> {
        ResourceSchema(
            singular, plural, table: table,
            [
                Field("id", \.id, .any), Field("namespace_id", \.namespaceID, .any), Field("name", \.name, .any),
                Field("position", \.position, .any), Field("created_at", \.createdAt, .any),
                Field("updated_at", \.updatedAt, .any),
            ] + own)
    }
}

/// The definition of a property: its type and its bounds in the terms of JSON Schema.
struct MetadefProperty: MetadefPart, Equatable {
    var id: ID<MetadefProperty> = ID("")
    var namespaceID: ID<MetadefNamespace> = ID("")
    var name = ""
    var position = 0
    var createdAt = Timestamp(microseconds: 0)
    var updatedAt = Timestamp(microseconds: 0)
    /// The definition without the name.
    var definition: JSONObject = [:]

    static let noun = "property"
    static let schema: ResourceSchema<MetadefProperty> = rows(
        "property", "properties", table: "image_metadef_property", [Field("definition", \.definition, .any)])
}

/// A group of properties that belong together.
struct MetadefObject: MetadefPart, Equatable {
    var id: ID<MetadefObject> = ID("")
    var namespaceID: ID<MetadefNamespace> = ID("")
    var name = ""
    var position = 0
    var createdAt = Timestamp(microseconds: 0)
    var updatedAt = Timestamp(microseconds: 0)
    var description: String?
    /// The names of the properties that must be set when the object is used.
    var required: [String] = []
    /// The definitions of the properties, by name.
    var properties: JSONObject = [:]

    static let noun = "object"
    static let schema: ResourceSchema<MetadefObject> = rows(
        "object", "objects", table: "image_metadef_object",
        [
            Field("description", \.description, .any), Field("required", \.storedRequired, .any),
            Field("properties", \.properties, .any),
        ])

    private var storedRequired: JSON {
        get { .array(required.map(JSON.string)) }
        set { required = newValue.array?.compactMap(\.string) ?? [] }
    }
}

/// A word that things can be tagged with.
struct MetadefTag: MetadefPart, Equatable {
    var id: ID<MetadefTag> = ID("")
    var namespaceID: ID<MetadefNamespace> = ID("")
    var name = ""
    var position = 0
    var createdAt = Timestamp(microseconds: 0)
    var updatedAt = Timestamp(microseconds: 0)

    static let noun = "tag"
    static let schema: ResourceSchema<MetadefTag> = rows("tag", "tags", table: "image_metadef_tag", [])
}

/// The association of a namespace with a resource type, which its properties are for. The name is that of the type.
struct MetadefAssociation: MetadefPart, Equatable {
    var id: ID<MetadefAssociation> = ID("")
    var namespaceID: ID<MetadefNamespace> = ID("")
    var name = ""
    var position = 0
    var createdAt = Timestamp(microseconds: 0)
    var updatedAt = Timestamp(microseconds: 0)
    /// The prefix of the properties' names on such a resource, with its separator, such as `hw_`.
    var prefix: String?
    /// The set of metadata that is meant, if the resource has several.
    var propertiesTarget: String?

    static let noun = "resource type association"
    static let isNamedAfterResourceType = true
    static let schema: ResourceSchema<MetadefAssociation> = rows(
        "resource_type_association", "resource_type_associations", table: "image_metadef_association",
        [Field("prefix", \.prefix, .any), Field("properties_target", \.propertiesTarget, .any)])
}

/// A type of resource that definitions can be for, such as `OS::Nova::Flavor`. It stays if no namespace is associated
/// with it any more.
struct MetadefResourceType: Sendable, Equatable {
    var name: String
    var createdAt: Timestamp
    var updatedAt: Timestamp
}
