import CloudCore

/// Readers of bodies that were checked by their schema.
enum MetadefBodies {
    static func namespace(_ body: JSONObject) -> (MetadefNamespace.Given, MetadefContents) {
        let given = MetadefNamespace.Given(
            name: body["namespace"]?.string ?? "", displayName: body["display_name"]?.string,
            description: body["description"]?.string, visibility: body["visibility"]?.string,
            isProtected: body["protected"]?.bool, owner: body["owner"]?.string)
        var contents = MetadefContents()
        contents.associations = Self.each("resource_type_associations", of: body, association)
        contents.objects = Self.each("objects", of: body, object)
        contents.tags = Self.each("tags", of: body, tag)
        contents.properties = (body["properties"]?.object?.members ?? []).compactMap { name, value in
            value.object.map { property(name, $0) }
        }
        return (given, contents)
    }

    static func tags(_ body: JSONObject) -> [MetadefTag] { each("tags", of: body, tag) }

    static func tag(_ body: JSONObject) -> MetadefTag {
        var tag = MetadefTag()
        tag.name = name(of: body)
        return tag
    }

    static func association(_ body: JSONObject) -> MetadefAssociation {
        var association = MetadefAssociation()
        association.name = name(of: body)
        association.prefix = body["prefix"]?.string
        association.propertiesTarget = body["properties_target"]?.string
        return association
    }

    static func object(_ body: JSONObject) -> MetadefObject {
        var object = MetadefObject()
        object.name = name(of: body)
        object.description = body["description"]?.string
        object.required = body["required"]?.array?.compactMap(\.string) ?? []
        object.properties = body["properties"]?.object ?? [:]
        return object
    }

    static func property(_ body: JSONObject) -> MetadefProperty { property(name(of: body), body) }

    private static func property(_ name: String, _ body: JSONObject) -> MetadefProperty {
        var property = MetadefProperty()
        property.name = name
        property.definition = body
        property.definition["name"] = nil
        return property
    }

    private static func name(of body: JSONObject) -> String { body["name"]?.string ?? "" }

    private static func each<Part>(_ key: String, of body: JSONObject, _ part: (JSONObject) -> Part) -> [Part] {
        (body[key]?.array ?? []).compactMap { $0.object.map(part) }
    }
}
