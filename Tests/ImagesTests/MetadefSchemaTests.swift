import CloudCore
import HTTPTypes
import TestSupport
import Testing

@Suite("Schemas of metadata definitions")
struct MetadefSchemaTests {
    @Test("Each schema has its name", arguments: [
        ("namespace", "namespace"), ("namespaces", "namespaces"), ("object", "object"), ("objects", "objects"), ("property", "property"),
        ("properties", "properties"), ("tag", "tag"), ("tags", "tags"), ("resource_type", "resource_type_association"),
        ("resource_types", "resource_type_associations"),
    ])
    func names(path: String, name: String) async throws {
        try await TestCloud.run { cloud in
            let reply = await cloud.send(.get, "/image/v2/schemas/metadefs/\(path)", token: try await cloud.token())
            #expect(reply.status == .ok)
            #expect(reply.json["name"] == .string(name))
        }
    }

    @Test("A schema defines everything that it refers to, and has all properties that it requires")
    func references() async throws {
        try await TestCloud.run { cloud in
            let token = try await cloud.token()
            for path in ["namespace", "namespaces", "object", "objects", "property", "properties"] {
                let schema = await cloud.send(.get, "/image/v2/schemas/metadefs/\(path)", token: token).json
                for match in schema.text.matches(of: /#\/definitions\/(\w+)/) {
                    #expect(schema["definitions"]?[String(match.1)] != nil, "\(path) \(match.1)")
                }
                for name in schema["required"]?.array ?? [] { #expect(schema["properties"]?[name.string ?? ""] != nil) }
            }
            let properties = await cloud.send(.get, "/image/v2/schemas/metadefs/properties", token: token).json
            #expect(properties["properties"]?["properties"]?["additionalProperties"]?["required"] == ["type", "title"])
            #expect(properties["links"]?.array?.count == 3)
        }
    }

    @Test("A schema can only be read, and an unknown one is a 404")
    func others() async throws {
        try await TestCloud.run { cloud in
            let token = try await cloud.token()
            #expect(await cloud.send(.get, "/image/v2/schemas/metadefs/colour", token: token).status == .notFound)
            #expect(await cloud.send(.delete, "/image/v2/schemas/metadefs/tag", token: token).status == .methodNotAllowed)
        }
    }
}
