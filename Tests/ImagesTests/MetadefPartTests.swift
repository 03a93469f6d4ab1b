import CloudCore
import HTTPTypes
import TestSupport
import Testing

@Suite("Contents of a namespace of metadata definitions")
struct MetadefPartTests {
    private static let long = JSON.string(String(repeating: "x", count: 81))

    @Test("An object is created, listed, shown, replaced, renamed and deleted", arguments: DatabaseKind.allCases)
    func objects(kind: DatabaseKind) async throws {
        try await MetadefClient.run(on: kind) { cloud, admin in
            await admin.namespace("n")
            let path = "/namespaces/n/objects"
            let properties: JSON = [
                "p": ["title": "P", "type": "array", "items": ["type": "string", "enum": ["a"]], "uniqueItems": true]
            ]
            let made = await admin.ask(
                .post, path, ["name": "o 1", "description": "d", "required": ["p"], "properties": properties], .created)
            #expect(made["properties"] == properties)
            #expect(made["required"] == ["p"])
            #expect(made["self"] == "/v2/metadefs/namespaces/n/objects/o%201")
            #expect(await admin.ask(.get, path + "/o%201") == made)
            #expect(await admin.ask(.get, path)["objects"] == [made])
            await admin.ask(.post, path, ["name": "o2"], .created)
            await admin.refuses(.post, path, ["name": "o2"], .conflict, saying: "o2")
            cloud.clock.advance(by: .seconds(2))
            let changed = await admin.ask(.put, path + "/o%201", ["name": "renamed"])
            #expect(changed["properties"] == [:])
            #expect(changed["required"] == [])
            #expect(changed["description"] == nil)
            #expect(changed["created_at"] == made["created_at"])
            #expect(changed["updated_at"] == .string(cloud.clock.now.iso8601Seconds))
            await admin.refuses(.get, path + "/o%201", nil, .notFound)
            await admin.refuses(.put, path + "/renamed", ["name": "o2"], .conflict)
            await admin.refuses(.put, path + "/none", ["name": "o3"], .notFound)
            await admin.ask(.delete, path + "/renamed", nil, .noContent)
            await admin.refuses(.delete, path + "/renamed", nil, .notFound)
            await admin.ask(.delete, path, nil, .noContent)
            #expect(await admin.ask(.get, path)["objects"] == [])
        }
    }

    @Test("A property is created, listed, shown, replaced, renamed and deleted", arguments: DatabaseKind.allCases)
    func properties(kind: DatabaseKind) async throws {
        try await MetadefClient.run(on: kind) { _, admin in
            await admin.namespace("n", ["resource_type_associations": [["name": "T", "prefix": "hw_"], ["name": "U"]]])
            let path = "/namespaces/n/properties"
            let definition: JSON = [
                "name": "cores", "title": "Cores", "description": "d", "type": "string", "operators": ["<or>", "=="], "default": "x",
                "readonly": true, "minimum": -1, "maximum": 1.5, "enum": ["x", 1, nil], "pattern": "^a", "minLength": 0, "maxLength": 3,
                "confidential": false, "items": ["type": "integer"], "uniqueItems": true, "minItems": 0, "maxItems": 9,
                "additionalItems": false, "required": ["a"],
            ]
            #expect(await admin.ask(.post, path, definition, .created) == definition)
            #expect(await admin.ask(.get, path + "/cores") == definition)
            let listed = await admin.ask(.get, path)["properties"]
            #expect(listed?["cores"]?["name"] == nil)
            #expect(listed?["cores"]?["maximum"] == 1.5)
            await admin.refuses(.post, path, definition, .conflict)
            await admin.ask(.post, path, ["name": "other", "title": "O", "type": "string"], .created)

            #expect(await admin.ask(.get, path + "/hw_cores?resource_type=T")["name"] == "cores")
            await admin.refuses(.get, path + "/cores?resource_type=T", nil, .notFound, saying: "does not begin with")
            await admin.refuses(.get, path + "/cores?resource_type=U", nil, .notFound, saying: "does not begin with")
            await admin.refuses(.get, path + "/cores?resource_type=V", nil, .notFound)
            await admin.refuses(.get, path + "/hw_none?resource_type=T", nil, .notFound)

            let changed = await admin.ask(.put, path + "/cores", ["name": "cpus", "title": "CPUs", "type": "integer"])
            #expect(changed == ["name": "cpus", "title": "CPUs", "type": "integer"])
            await admin.refuses(.get, path + "/cores", nil, .notFound)
            await admin.refuses(.put, path + "/cpus", ["name": "other", "title": "O", "type": "string"], .conflict)
            await admin.refuses(.put, path + "/none", ["name": "x", "title": "O", "type": "string"], .notFound)
            await admin.ask(.delete, path + "/cpus", nil, .noContent)
            await admin.refuses(.delete, path + "/cpus", nil, .notFound)
            await admin.ask(.delete, path, nil, .noContent)
            #expect(await admin.ask(.get, path) == ["properties": [:]])
        }
    }

    @Test("A tag is created, listed, shown, renamed and deleted", arguments: DatabaseKind.allCases)
    func tags(kind: DatabaseKind) async throws {
        try await MetadefClient.run(on: kind) { _, admin in
            await admin.namespace("n")
            let path = "/namespaces/n/tags"
            let made = await admin.ask(.post, path + "/red%20one", nil, .created)
            #expect(made["name"] == "red one")
            #expect(Set(made.object?.keys ?? []) == ["name", "created_at", "updated_at"])
            #expect(await admin.ask(.get, path + "/red%20one") == made)
            await admin.refuses(.post, path + "/red%20one", nil, .conflict)
            await admin.refuses(.post, path + "/x", ["name": "x"], .badRequest, saying: "not expected")
            await admin.refuses(.post, path + "/" + (Self.long.string ?? ""), nil, .badRequest, saying: "at most 80")
            await admin.ask(.post, path + "/blue", nil, .created)
            #expect(await admin.ask(.put, path + "/red%20one", ["name": "green"])["name"] == "green")
            await admin.refuses(.put, path + "/green", ["name": "blue"], .conflict)
            await admin.refuses(.put, path + "/red", ["name": "x"], .notFound)
            #expect(await admin.names(path, "tags") == ["blue", "green"])
            await admin.ask(.delete, path + "/green", nil, .noContent)
            await admin.refuses(.delete, path + "/green", nil, .notFound)
            await admin.ask(.delete, path, nil, .noContent)
            #expect(await admin.ask(.get, path) == ["tags": []])
        }
    }

    @Test("A list of tags replaces or extends the existing tags, or nothing changes", arguments: DatabaseKind.allCases)
    func manyTags(kind: DatabaseKind) async throws {
        try await MetadefClient.run(on: kind) { _, admin in
            await admin.namespace("n", ["tags": [["name": "old"]]])
            let path = "/namespaces/n/tags"
            func sorted() async -> [String] { await admin.names(path + "?sort_key=name&sort_dir=asc", "tags") }
            let append = try #require(HTTPField.Name("X-Openstack-Append"))
            let made = await admin.ask(.post, path, ["tags": [["name": "b"], ["name": "a"]]], .created)
            #expect(made == ["tags": [["name": "b"], ["name": "a"]]])
            #expect(await sorted() == ["a", "b"])
            #expect(await admin.send(.post, path, ["tags": [["name": "c"]]], headers: [append: "True"]).status == .created)
            #expect(await sorted() == ["a", "b", "c"])
            let twice = await admin.send(.post, path, ["tags": [["name": "d"], ["name": "a"]]], headers: [append: "yes"])
            #expect(twice.status == .conflict)
            await admin.refuses(.post, path, ["tags": [["name": "e"], ["name": "e"]]], .conflict)
            #expect(await sorted() == ["a", "b", "c"])
            #expect(await admin.ask(.post, path, ["tags": []], .created) == ["tags": []])
            #expect(await sorted() == ["a", "b", "c"])
            #expect(await admin.send(.post, path, ["tags": [["name": "z"]]], headers: [append: "False"]).status == .created)
            #expect(await sorted() == ["z"])
        }
    }

    @Test(
        "A namespace is associated with resource types, which remain known afterwards",
        arguments: DatabaseKind.allCases)
    func associations(kind: DatabaseKind) async throws {
        try await MetadefClient.run(on: kind) { cloud, admin in
            await admin.namespace("n")
            let path = "/namespaces/n/resource_types"
            let known = await admin.names("/resource_types", "resource_types")
            #expect(known.contains("OS::Nova::Flavor"))
            let made = await admin.ask(
                .post, path, ["name": "Own::Thing", "prefix": "own:", "properties_target": "user"], .created)
            #expect(made["prefix"] == "own:")
            #expect(made["properties_target"] == "user")
            #expect(made["created_at"] == .string(cloud.clock.now.iso8601Seconds))
            await admin.ask(.post, path, ["name": "OS::Nova::Flavor"], .created)
            await admin.refuses(.post, path, ["name": "Own::Thing"], .conflict)
            let listed = await admin.ask(.get, path)
            #expect(listed["resource_type_associations"]?.array?.first == made)
            #expect(await admin.names(path, "resource_type_associations") == ["Own::Thing", "OS::Nova::Flavor"])
            await admin.ask(.delete, path + "/Own::Thing", nil, .noContent)
            await admin.refuses(.delete, path + "/Own::Thing", nil, .notFound)
            #expect(await admin.names("/resource_types", "resource_types").contains("Own::Thing"))
            #expect(await admin.names("/resource_types", "resource_types").count == known.count + 1)
        }
    }

    @Test("An invalid body of an object, property, tag or association is refused", arguments: [
        ("objects", [:], "'name' is a required property"), ("objects", ["name": ""], "must not be empty"),
        ("objects", ["name": long], "at most 80"), ("objects", ["name": "o", "required": "p"], "array"),
        ("objects", ["name": "o", "required": ["p", "p"]], "twice"), ("objects", ["name": "o", "colour": 1], "'colour'"),
        ("objects", ["name": "o", "properties": ["p": ["title": "P", "type": "text"]]], "object/properties/p/type"),
        ("objects", ["name": "o", "properties": ["p": ["title": "P", "type": "string", "colour": 1]]], "'colour'"),
        ("properties", ["title": "P", "type": "string"], "'name' is a required property"),
        ("properties", ["name": "p", "type": "string"], "'title' is a required property"),
        ("properties", ["name": long, "title": "P", "type": "string"], "at most 80"),
        ("properties", ["name": "p", "title": 1, "type": "string"], "property/title"),
        ("properties", ["name": "p", "title": "P", "type": nil], "property/type"),
        ("properties", ["name": "p", "title": "P", "type": "string", "minLength": -1], "at least 0"),
        ("properties", ["name": "p", "title": "P", "type": "string", "maxLength": 1.5], "integer"),
        ("properties", ["name": "p", "title": "P", "type": "string", "minItems": "1"], "property/minItems"),
        ("properties", ["name": "p", "title": "P", "type": "integer", "minimum": "1"], "number"),
        ("properties", ["name": "p", "title": "P", "type": "string", "enum": "a"], "array"),
        ("properties", ["name": "p", "title": "P", "type": "string", "operators": [1]], "property/operators/0"),
        ("properties", ["name": "p", "title": "P", "type": "array", "items": ["type": "text"]], "property/items/type"),
        ("properties", ["name": "p", "title": "P", "type": "array", "items": ["size": 1]], "'size'"),
        ("properties", ["name": "p", "title": "P", "type": "string", "readonly": 1], "boolean"),
        ("properties", ["name": "p", "title": "P", "type": "string", "format": "x"], "'format'"),
        ("tags", [:], "'tags' is a required property"), ("tags", ["tags": [["name": ""]]], "must not be empty"),
        ("tags", ["tags": [["name": "t", "colour": 1]]], "'colour'"), ("tags", ["tags": ["t"]], "tags/tags/0"),
        ("resource_types", [:], "'name' is a required property"), ("resource_types", ["name": long], "at most 80"),
        ("resource_types", ["name": "t", "prefix": long], "prefix"),
        ("resource_types", ["name": "t", "properties_target": 1], "string"),
    ] as [(String, JSON, String)])
    func badBodies(part: String, body: JSON, says: String) async throws {
        try await MetadefClient.run { _, admin in
            await admin.namespace("n", ["tags": [["name": "t"]]])
            await admin.refuses(.post, "/namespaces/n/\(part)", body, .badRequest, saying: says)
        }
    }

    @Test("Fields that the service sets are read-only")
    func readOnly() async throws {
        try await MetadefClient.run { _, admin in
            await admin.namespace("n", ["tags": [["name": "t"]], "objects": [["name": "t"]]])
            for (method, path) in [
                (HTTPRequest.Method.post, "objects"), (.put, "objects/t"), (.post, "properties"), (.put, "tags/t"),
                (.post, "resource_types"),
            ] {
                let body: JSON = ["name": "x", "created_at": "now"]
                await admin.refuses(method, "/namespaces/n/\(path)", body, .forbidden, saying: "read-only")
            }
            await admin.refuses(.post, "/namespaces/n/objects", ["name": "x", "self": "y"], .forbidden, saying: "read-only")
        }
    }
}
