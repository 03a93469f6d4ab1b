import CloudCore
import HTTPKit
import Resources

/// A namespace of metadata definitions: the properties that images, flavors and other things may have, with their
/// meanings.
struct MetadefNamespace: Resource, Equatable {
    var id: ID<MetadefNamespace> = ID("")
    /// The name, unique in the cloud. Paths and links of the API contain it.
    var name = ""
    var displayName: String?
    var description: String?
    /// The visibility: `public` or `private`.
    var visibility = Self.private
    /// Whether the namespace and everything in it cannot be deleted.
    var isProtected = false
    /// The project that owns the namespace.
    var owner = ""
    var createdAt = Timestamp(microseconds: 0)
    var updatedAt = Timestamp(microseconds: 0)

    static let `public` = "public"
    static let `private` = "private"

    /// The columns of the rows. Bodies are checked by `MetadefSchemas`, which clients can read.
    static let schema = ResourceSchema<MetadefNamespace>(
        "namespace", "namespaces", table: "image_metadef_namespace",
        [
            Field("id", \.id, .any), Field("namespace", \.name, .any), Field("display_name", \.displayName, .any),
            Field("description", \.description, .any), Field("visibility", \.visibility, .any),
            Field("protected", \.isProtected, .any), Field("owner", \.owner, .any), Field("created_at", \.createdAt, .any),
            Field("updated_at", \.updatedAt, .any),
        ])

    /// A namespace in a body. A member that is missing gets the value of a new namespace, also if the body replaces
    /// another namespace.
    struct Given: Sendable {
        var name: String
        var displayName: String?
        var description: String?
        var visibility: String?
        var isProtected: Bool?
        var owner: String?
    }

    /// Takes over a body.
    ///
    /// - Parameter owner: the owner if the body names none.
    mutating func set(_ given: Given, owner: String) {
        name = given.name
        displayName = given.displayName
        description = given.description
        visibility = given.visibility ?? Self.private
        isProtected = given.isProtected ?? false
        self.owner = given.owner ?? owner
    }
}

/// The contents of a namespace, each kind in the order of creation.
struct MetadefContents: Sendable {
    var associations: [MetadefAssociation] = []
    var properties: [MetadefProperty] = []
    var objects: [MetadefObject] = []
    var tags: [MetadefTag] = []

    /// Returns the contents with the property names that resources of a type use: with the prefix of the type's
    /// association.
    func prefixed(for resourceType: String) -> MetadefContents {
        guard let prefix = associations.first(where: { $0.name == resourceType })?.prefix, !prefix.isEmpty else { return self }
        var contents = self
        for at in properties.indices { contents.properties[at].name = prefix + properties[at].name }
        for at in objects.indices {
            contents.objects[at].properties = JSONObject(objects[at].properties.members.map { (prefix + $0.key, $0.value) })
            contents.objects[at].required = objects[at].required.map { prefix + $0 }
        }
        return contents
    }
}
