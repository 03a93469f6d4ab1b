import CloudCore
import HTTPKit
import Resources

/// One thing in a namespace. Its name is unique among its kind there, and is how the API calls it.
protocol MetadefPart: Resource where Noun == Self {
    /// How messages call it.
    static var noun: String { get }
    /// Whether its name is that of a resource type, which must be there before it.
    static var isNamedAfterResourceType: Bool { get }
    var namespaceID: ID<MetadefNamespace> { get set }
    var name: String { get set }
    /// Parts that are made together have the same moment: this keeps them in the order in which they were given.
    var position: Int { get set }
    var createdAt: Timestamp { get set }
    var updatedAt: Timestamp { get set }
}

extension MetadefPart {
    static var isNamedAfterResourceType: Bool { false }

    /// The columns that all kinds have, and `own`.
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

/// What a property means: its type and its bounds, in the terms of JSON Schema.
struct MetadefProperty: MetadefPart, Equatable {
    var id: ID<MetadefProperty> = ID("")
    var namespaceID: ID<MetadefNamespace> = ID("")
    var name = ""
    var position = 0
    var createdAt = Timestamp(microseconds: 0)
    var updatedAt = Timestamp(microseconds: 0)
    /// Without the name.
    var definition: JSONObject = [:]

    static let noun = "property"
    static let schema: ResourceSchema<MetadefProperty> = rows(
        "property", "properties", table: "image_metadef_property", [Field("definition", \.definition, .any)])
}

/// Properties that belong together.
struct MetadefObject: MetadefPart, Equatable {
    var id: ID<MetadefObject> = ID("")
    var namespaceID: ID<MetadefNamespace> = ID("")
    var name = ""
    var position = 0
    var createdAt = Timestamp(microseconds: 0)
    var updatedAt = Timestamp(microseconds: 0)
    var description: String?
    /// The names of the properties that whoever uses the object must set.
    var required: [String] = []
    /// Definitions by name.
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

/// That the namespace's properties are for a type of resource. Its name is the type's.
struct MetadefAssociation: MetadefPart, Equatable {
    var id: ID<MetadefAssociation> = ID("")
    var namespaceID: ID<MetadefNamespace> = ID("")
    var name = ""
    var position = 0
    var createdAt = Timestamp(microseconds: 0)
    var updatedAt = Timestamp(microseconds: 0)
    /// What the names of the properties begin with on such a resource, with its separator: `hw_`.
    var prefix: String?
    /// Which of the resource's sets of metadata is meant, where it has several.
    var propertiesTarget: String?

    static let noun = "resource type association"
    static let isNamedAfterResourceType = true
    static let schema: ResourceSchema<MetadefAssociation> = rows(
        "resource_type_association", "resource_type_associations", table: "image_metadef_association",
        [Field("prefix", \.prefix, .any), Field("properties_target", \.propertiesTarget, .any)])
}

/// A type of resource that definitions can be for, as `OS::Nova::Flavor`. It stays when nothing is associated with it any more.
struct MetadefResourceType: Sendable, Equatable {
    var name: String
    var createdAt: Timestamp
    var updatedAt: Timestamp
}
