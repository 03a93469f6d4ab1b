import CloudCore
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

@Suite("Namespaces of metadata definitions")
struct MetadefNamespaceTests {
    @Test("A namespace is created with all its contents and shown unchanged", arguments: DatabaseKind.allCases)
    func everything(kind: DatabaseKind) async throws {
        try await MetadefClient.run(on: kind) { cloud, admin in
            let made = await admin.send(.post, "/namespaces", MetadefClient.hypervisor)
            #expect(made.status == .created, "\(made.text)")
            #expect(made.headers[.location] == "http://cloud.test:5000/image/v2/metadefs/namespaces/OS::Compute::Hypervisor")
            let shown = await admin.ask(.get, "/namespaces/OS::Compute::Hypervisor")
            #expect(shown == made.json)
            #expect(shown["self"] == "/v2/metadefs/namespaces/OS::Compute::Hypervisor")
            #expect(shown["schema"] == "/v2/schemas/metadefs/namespace")
            #expect(shown["display_name"] == "Hypervisor")
            #expect(shown["visibility"] == "public")
            #expect(shown["protected"] == false)
            #expect(shown["created_at"] == .string(cloud.clock.now.iso8601Seconds))
            #expect(shown["updated_at"] == shown["created_at"])
            #expect(shown["resource_type_associations"]?.array?.map { $0["name"] } == ["OS::Glance::Image", "OS::Cinder::Volume"])
            #expect(shown["resource_type_associations"]?.array?.last?["properties_target"] == "image")
            #expect(shown["properties"]?["cores"] == MetadefClient.hypervisor["properties"]?["cores"])
            #expect(shown["properties"]?.object?.keys == ["cores", "kind"])
            let object = shown["objects"]?.array?.first
            #expect(object?["required"] == ["quota"])
            #expect(object?["properties"] == MetadefClient.hypervisor["objects"]?.array?.first?["properties"])
            #expect(object?["self"] == "/v2/metadefs/namespaces/OS::Compute::Hypervisor/objects/CPU%20Limits")
            #expect(object?["schema"] == "/v2/schemas/metadefs/object")
            #expect(shown["tags"] == [["name": "first"], ["name": "second"]])
        }
    }

    @Test("An empty namespace is private, belongs to the caller's project, and shows only fields that it has")
    func alone() async throws {
        try await MetadefClient.run { cloud, admin in
            await admin.namespace("empty")
            let shown = await admin.ask(.get, "/namespaces/empty")
            #expect(
                Set(shown.object?.keys ?? [])
                    == ["namespace", "visibility", "protected", "owner", "created_at", "updated_at", "self", "schema"])
            #expect(shown["visibility"] == "private")
            let project = await cloud.send(.get, "/v3/projects?name=admin", token: admin.token).json["projects"]?.array?.first?["id"]
            #expect(shown["owner"] == project)
            await admin.namespace("owned", ["owner": "somebody"])
            #expect(await admin.ask(.get, "/namespaces/owned")["owner"] == "somebody")
        }
    }

    @Test("With a resource type, a namespace shows its properties with the prefix of the association")
    func prefixes() async throws {
        try await MetadefClient.run { _, admin in
            await admin.ask(.post, "/namespaces", MetadefClient.hypervisor, .created)
            let path = "/namespaces/OS::Compute::Hypervisor"
            let seen = await admin.ask(.get, path + "?resource_type=OS::Glance::Image")
            #expect(seen["properties"]?.object?.keys == ["hw_cores", "hw_kind"])
            #expect(seen["objects"]?.array?.first?["properties"]?.object?.keys == ["hw_quota", "hw_shares"])
            #expect(seen["objects"]?.array?.first?["required"] == ["hw_quota"])
            #expect(await admin.ask(.get, path + "?resource_type=OS::Nova::Flavor")["properties"]?.object?.keys == ["cores", "kind"])
        }
    }

    @Test("Reading a namespace costs the same number of transactions, whatever it contains")
    func fewTransactions() async throws {
        try await MetadefClient.run { cloud, admin in
            await admin.namespace("small")
            let tags = JSON.array((0..<100).map { ["name": .string("tag \($0)")] })
            let properties = JSONObject((0..<100).map { ("p\($0)", ["title": "P", "type": "string"]) })
            await admin.namespace("large", ["tags": tags, "properties": .object(properties)])
            await admin.ask(.get, "/namespaces/small")
            var counts: [Int] = []
            for path in ["/namespaces/small", "/namespaces/large", "/namespaces"] {
                let before = cloud.database.transactions
                await admin.ask(.get, path)
                counts.append(cloud.database.transactions - before)
            }
            #expect(Set(counts).count == 1, "\(counts)")
            #expect(await admin.ask(.get, "/namespaces/large")["tags"]?.array?.count == 100)
            #expect(await admin.ask(.get, "/namespaces/large")["properties"]?.object?.keys == properties.keys)
        }
    }

    @Test("A duplicate namespace, or contents with a duplicate name, are refused and leave nothing")
    func duplicates() async throws {
        try await MetadefClient.run { _, admin in
            await admin.namespace("a")
            await admin.refuses(.post, "/namespaces", ["namespace": "a"], .conflict, saying: "named a already")
            let twice: [(String, JSON)] = [
                ("tags", [["name": "x"], ["name": "x"]]), ("objects", [["name": "x"], ["name": "x"]]),
                ("resource_type_associations", [["name": "x"], ["name": "x"]]),
            ]
            for (key, value) in twice {
                await admin.refuses(.post, "/namespaces", ["namespace": "b", .init(key): value], .conflict, saying: "named x already")
            }
            await admin.refuses(.get, "/namespaces/b", nil, .notFound)
            #expect(!(await admin.names("/resource_types", "resource_types")).contains("x"))
        }
    }

    @Test("Of several callers that create the same namespace at once one succeeds, and concurrent additions all succeed", arguments: DatabaseKind.allCases)
    func races(kind: DatabaseKind) async throws {
        try await MetadefClient.run(on: kind) { _, admin in
            func statuses(_ send: @escaping @Sendable (Int) async -> TestCloud.Response) async -> [Int] {
                await withTaskGroup(of: Int.self) { group in
                    for number in 0..<6 { group.addTask { await send(number).status.code } }
                    return await group.reduce(into: []) { $0.append($1) }.sorted()
                }
            }
            let made = await statuses { _ in await admin.send(.post, "/namespaces", ["namespace": "n", "tags": [["name": "t"]]]) }
            #expect(made == [201, 409, 409, 409, 409, 409])
            #expect(await statuses { await admin.send(.post, "/namespaces/n/tags/x\($0)") } == [201, 201, 201, 201, 201, 201])
            #expect(await admin.names("/namespaces/n/tags", "tags").count == 7)
        }
    }

    @Test("PUT replaces the fields of a namespace, including its name, and keeps its contents", arguments: DatabaseKind.allCases)
    func updates(kind: DatabaseKind) async throws {
        try await MetadefClient.run(on: kind) { cloud, admin in
            await admin.ask(.post, "/namespaces", MetadefClient.hypervisor, .created)
            await admin.namespace("taken")
            cloud.clock.advance(by: .seconds(5))
            let path = "/namespaces/OS::Compute::Hypervisor"
            let changed = await admin.ask(.put, path, ["namespace": "new name", "protected": true])
            #expect(changed["namespace"] == "new name")
            #expect(changed["visibility"] == "private")
            #expect(changed["protected"] == true)
            #expect(changed["description"] == nil)
            #expect(changed["updated_at"] == .string(cloud.clock.now.iso8601Seconds))
            #expect(changed["created_at"] != changed["updated_at"])
            await admin.refuses(.get, path, nil, .notFound)
            let shown = await admin.ask(.get, "/namespaces/new%20name")
            #expect(shown["tags"]?.array?.count == 2)
            #expect(shown["self"] == "/v2/metadefs/namespaces/new%20name")
            await admin.refuses(.put, "/namespaces/new%20name", ["namespace": "taken"], .conflict)
            await admin.refuses(.put, "/namespaces/nothing", ["namespace": "x"], .notFound)
            await admin.refuses(.put, "/namespaces/new%20name", ["display_name": "x"], .badRequest, saying: "'namespace'")
        }
    }

    @Test("Nothing of a protected namespace can be deleted, and deleting another one deletes its contents")
    func deletion() async throws {
        try await MetadefClient.run { _, admin in
            await admin.ask(.post, "/namespaces", MetadefClient.hypervisor, .created)
            let path = "/namespaces/OS::Compute::Hypervisor"
            await admin.ask(.put, path, ["namespace": "OS::Compute::Hypervisor", "protected": true])
            for part in [
                "", "/objects", "/properties", "/tags", "/objects/CPU%20Limits", "/properties/cores", "/tags/first",
                "/resource_types/OS::Glance::Image",
            ] {
                await admin.refuses(.delete, path + part, nil, .forbidden, saying: "protected")
            }
            await admin.refuses(.delete, path + "/tags/none", nil, .notFound)
            await admin.ask(.put, path, ["namespace": "OS::Compute::Hypervisor"])
            await admin.ask(.delete, path, nil, .noContent)
            await admin.refuses(.delete, path, nil, .notFound)
            // Nothing is left of the first namespace.
            await admin.namespace("OS::Compute::Hypervisor")
            #expect(await admin.ask(.get, path + "/tags") == ["tags": []])
        }
    }

    @Test("An invalid body of a namespace is refused with the place of the mistake", arguments: [
        ([:], "'namespace' is a required property"), (["namespace": 1], "namespace/namespace"), (["namespace": ""], "must not be empty"),
        (["namespace": .string(String(repeating: "x", count: 81))], "at most 80"),
        (["namespace": "n", "display_name": .string(String(repeating: "x", count: 81))], "namespace/display_name"),
        (["namespace": "n", "description": .string(String(repeating: "x", count: 501))], "at most 500"),
        (["namespace": "n", "visibility": "shared"], "'public', 'private'"), (["namespace": "n", "protected": "yes"], "boolean"),
        (["namespace": "n", "owner": nil], "namespace/owner"), (["namespace": "n", "colour": "red"], "'colour'"),
        (["namespace": "n\0"], "NUL"), (["namespace": "n", "tags": ["a"]], "namespace/tags/0"),
        (["namespace": "n", "tags": [[:]]], "'name' is a required property"),
        (["namespace": "n", "tags": [["name": .string(String(repeating: "x", count: 81))]]], "at most 80"),
        (["namespace": "n", "objects": [["properties": [:]]]], "'name' is a required property"),
        (["namespace": "n", "resource_type_associations": [["name": "t", "prefix": 1]]], "resource_type_associations/0/prefix"),
        (["namespace": "n", "properties": ["p": ["title": "P"]]], "'type' is a required property"),
        (["namespace": "n", "properties": ["p": ["type": "string"]]], "'title' is a required property"),
        (["namespace": "n", "properties": ["": ["title": "P", "type": "string"]]], "must not be empty"),
        (["namespace": "n", "properties": []], "namespace/properties"),
    ] as [(JSON, String)])
    func badBodies(body: JSON, says: String) async throws {
        try await MetadefClient.run { _, admin in
            await admin.refuses(.post, "/namespaces", body, .badRequest, saying: says)
        }
    }

    @Test("Fields that the service sets are read-only, a body must be an object, and GET and DELETE take no body")
    func refusedBodies() async throws {
        try await MetadefClient.run { _, admin in
            await admin.namespace("n")
            for name in ["self", "schema", "created_at", "updated_at"] {
                let body: JSON = ["namespace": "x", .init(name): "y"]
                await admin.refuses(.post, "/namespaces", body, .forbidden, saying: "'\(name)' is read-only")
                await admin.refuses(.put, "/namespaces/n", body, .forbidden, saying: "'\(name)' is read-only")
            }
            await admin.refuses(.post, "/namespaces", [], .badRequest)
            await admin.refuses(.post, "/namespaces", nil, .badRequest)
            await admin.refuses(.get, "/namespaces/n", [:], .badRequest, saying: "not expected")
            await admin.refuses(.delete, "/namespaces/n", [:], .badRequest, saying: "not expected")
        }
    }
}
