import CloudCore
import HTTPKit

/// The forms of metadata definitions in the API. Members without a value are left out, as in Glance, and so are the
/// empty lists of a namespace's contents.
enum MetadefViews {
    static func write(_ namespace: MetadefNamespace, _ contents: MetadefContents, _ json: inout JSONWriter) {
        write(namespace, contents.associations, &json)
        if !contents.properties.isEmpty { write(contents.properties, &json) }
        if !contents.objects.isEmpty { write(contents.objects, of: namespace.name, &json) }
        if !contents.tags.isEmpty { write(contents.tags, &json) }
    }

    static func write(_ namespace: MetadefNamespace, _ associations: [MetadefAssociation], _ json: inout JSONWriter) {
        json.member("namespace", namespace.name)
        if let name = namespace.displayName { json.member("display_name", name) }
        if let description = namespace.description { json.member("description", description) }
        json.member("visibility", namespace.visibility)
        json.member("protected", namespace.isProtected)
        json.member("owner", namespace.owner)
        write(namespace.createdAt, namespace.updatedAt, &json)
        json.member("self", MetadefLinks.namespace(namespace.name))
        json.member("schema", "/v2/schemas/metadefs/namespace")
        if !associations.isEmpty { write(associations, &json) }
    }

    static func write(_ associations: [MetadefAssociation], _ json: inout JSONWriter) {
        json.array("resource_type_associations", of: associations) { json, association in
            json.object { write(association, &$0) }
        }
    }

    static func write(_ association: MetadefAssociation, _ json: inout JSONWriter) {
        json.member("name", association.name)
        if let prefix = association.prefix { json.member("prefix", prefix) }
        if let target = association.propertiesTarget { json.member("properties_target", target) }
        write(association.createdAt, association.updatedAt, &json)
    }

    static func write(_ resourceType: MetadefResourceType, _ json: inout JSONWriter) {
        json.member("name", resourceType.name)
        write(resourceType.createdAt, resourceType.updatedAt, &json)
    }

    /// Writes properties as a dictionary, in which the name is only the key.
    static func write(_ properties: [MetadefProperty], _ json: inout JSONWriter) {
        json.object("properties") { json in
            for property in properties { json.object(dynamic: property.name) { $0.members(of: property.definition) } }
        }
    }

    static func write(_ property: MetadefProperty, _ json: inout JSONWriter) {
        json.member("name", property.name)
        json.members(of: property.definition)
    }

    static func write(_ objects: [MetadefObject], of namespace: String, _ json: inout JSONWriter) {
        json.array("objects", of: objects) { json, object in json.object { write(object, of: namespace, &$0) } }
    }

    static func write(_ object: MetadefObject, of namespace: String, _ json: inout JSONWriter) {
        json.member("name", object.name)
        if let description = object.description { json.member("description", description) }
        json.array("required", of: object.required) { $0.string($1) }
        json.member("properties", .object(object.properties))
        write(object.createdAt, object.updatedAt, &json)
        json.member("self", MetadefLinks.object(object.name, of: namespace))
        json.member("schema", "/v2/schemas/metadefs/object")
    }

    /// Writes tags as a list, in which a tag is only its name.
    static func write(_ tags: [MetadefTag], _ json: inout JSONWriter) {
        json.array("tags", of: tags) { json, tag in json.object { $0.member("name", tag.name) } }
    }

    static func write(_ tag: MetadefTag, _ json: inout JSONWriter) {
        json.member("name", tag.name)
        write(tag.createdAt, tag.updatedAt, &json)
    }

    private static func write(_ createdAt: Timestamp, _ updatedAt: Timestamp, _ json: inout JSONWriter) {
        json.member("created_at", createdAt.iso8601Seconds)
        json.member("updated_at", updatedAt.iso8601Seconds)
    }
}

/// The links of metadata definitions, as Glance writes them: from the version of the API on, wherever the API is
/// mounted.
enum MetadefLinks {
    static let namespaces = "/v2/metadefs/namespaces"

    static func namespace(_ name: String) -> String { "\(namespaces)/\(segment(name))" }
    static func object(_ name: String, of namespace: String) -> String { "\(self.namespace(namespace))/objects/\(segment(name))" }

    /// Returns the link to a page of namespaces: the same query, from behind `marker` on.
    static func page(_ query: Query, after marker: String?) -> String {
        var items = query.items.filter { $0.name != "marker" }
        if let marker { items.append(("marker", marker)) }
        guard !items.isEmpty else { return namespaces }
        return namespaces + "?" + items.map { "\(Percent.encode($0.name))=\(Percent.encode($0.value))" }.joined(separator: "&")
    }

    /// Returns a segment of a path. Characters that RFC 3986 section 3.3 allows in a segment stay as they are, so that
    /// `OS::Nova::Flavor` is readable.
    private static func segment(_ text: String) -> String {
        text.unicodeScalars.map { "!$&'()*+,;=:@".unicodeScalars.contains($0) ? String($0) : Percent.encode(String($0)) }.joined()
    }
}
