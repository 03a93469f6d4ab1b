import CloudCore
import HTTPKit
import Resources

/// A namespace of metadata definitions: which properties images, flavors and other things may carry, and what they mean.
struct MetadefNamespace: Resource, Equatable {
    var id: ID<MetadefNamespace> = ID("")
    /// Unique in the cloud; it is what the API's paths and links have.
    var name = ""
    var displayName: String?
    var description: String?
    /// `public` or `private`.
    var visibility = Self.private
    /// Whether neither it nor anything in it can be deleted.
    var isProtected = false
    /// The project that a private one belongs to.
    var owner = ""
    var createdAt = Timestamp(microseconds: 0)
    var updatedAt = Timestamp(microseconds: 0)

    static let `public` = "public"
    static let `private` = "private"

    /// The rows. Bodies are checked by `MetadefSchemas`, which are what clients are told.
    static let schema = ResourceSchema<MetadefNamespace>(
        "namespace", "namespaces", table: "image_metadef_namespace",
        [
            Field("id", \.id, .any), Field("namespace", \.name, .any), Field("display_name", \.displayName, .any),
            Field("description", \.description, .any), Field("visibility", \.visibility, .any),
            Field("protected", \.isProtected, .any), Field("owner", \.owner, .any), Field("created_at", \.createdAt, .any),
            Field("updated_at", \.updatedAt, .any),
        ])

    /// What a body says of one. What it leaves out is as in a new one, also when it replaces another.
    struct Given: Sendable {
        var name: String
        var displayName: String?
        var description: String?
        var visibility: String?
        var isProtected: Bool?
        var owner: String?
    }

    /// - Parameter owner: who it belongs to when the body does not say.
    mutating func set(_ given: Given, owner: String) {
        name = given.name
        displayName = given.displayName
        description = given.description
        visibility = given.visibility ?? Self.private
        isProtected = given.isProtected ?? false
        self.owner = given.owner ?? owner
    }
}

/// Everything that is in a namespace, each in the order in which it was made.
struct MetadefContents: Sendable {
    var associations: [MetadefAssociation] = []
    var properties: [MetadefProperty] = []
    var objects: [MetadefObject] = []
    var tags: [MetadefTag] = []

    /// The properties as things of that resource type carry them: with the prefix that its association asks for.
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
