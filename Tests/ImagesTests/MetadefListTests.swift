import CloudCore
import HTTPTypes
import TestSupport
import Testing

@Suite("Lists of metadata definitions")
struct MetadefListTests {
    @Test("Namespaces are listed newest first, in pages that link to each other", arguments: DatabaseKind.allCases)
    func pages(kind: DatabaseKind) async throws {
        try await MetadefClient.run(on: kind) { cloud, admin in
            for name in ["a::b", "c d", "e"] {
                await admin.namespace(name, ["visibility": "public", "resource_type_associations": [["name": "T", "prefix": "p_"]]])
                cloud.clock.advance(by: .seconds(1))
            }
            let first = await admin.ask(.get, "/namespaces?limit=2")
            #expect(first["namespaces"]?.array?.map { $0["namespace"] } == ["e", "c d"])
            #expect(first["namespaces"]?.array?.first?["resource_type_associations"]?.array?.first?["prefix"] == "p_")
            #expect(first["namespaces"]?.array?.first?["tags"] == nil)
            #expect(first["first"] == "/v2/metadefs/namespaces?limit=2")
            #expect(first["next"] == "/v2/metadefs/namespaces?limit=2&marker=c%20d")
            #expect(first["schema"] == "/v2/schemas/metadefs/namespaces")
            let next = try #require(first["next"]?.string)
            let second = await cloud.send(.get, "/image" + next, token: admin.token).json
            #expect(second["namespaces"]?.array?.map { $0["namespace"] } == ["a::b"])
            #expect(second["next"] == nil)
            #expect(second["first"] == "/v2/metadefs/namespaces?limit=2")
            #expect(await admin.ask(.get, "/namespaces")["first"] == "/v2/metadefs/namespaces")
            func listed(_ query: String) async -> [String] { await admin.names("/namespaces?\(query)", "namespaces", "namespace") }
            #expect(await listed("sort_key=namespace&sort_dir=asc") == ["a::b", "c d", "e"])
            #expect(await listed("sort_key=display_name&sort_dir=asc&limit=1&marker=a::b") == ["c d"])
            #expect(await admin.ask(.get, "/namespaces?limit=0")["namespaces"] == [])
        }
    }

    @Test("A list has 25 namespaces unless another limit is given")
    func usualPage() async throws {
        try await MetadefClient.run { _, admin in
            for number in 0..<26 { await admin.namespace("n\(number)") }
            #expect(await admin.names("/namespaces", "namespaces", "namespace").count == 25)
            #expect(await admin.names("/namespaces?limit=5000", "namespaces", "namespace").count == 26)
        }
    }

    @Test("Lists of namespaces are filtered by visibility and resource types")
    func filters() async throws {
        try await MetadefClient.run { _, admin in
            await admin.namespace("image", ["visibility": "public", "resource_type_associations": [["name": "OS::Glance::Image"]]])
            await admin.namespace("both", ["resource_type_associations": [["name": "OS::Glance::Image"], ["name": "OS::Nova::Flavor"]]])
            await admin.namespace("none")
            func listed(_ query: String) async -> [String] {
                await admin.names("/namespaces?sort_key=namespace&sort_dir=asc&\(query)", "namespaces", "namespace")
            }
            #expect(await listed("visibility=public") == ["image"])
            #expect(await listed("visibility=private") == ["both", "none"])
            #expect(await listed("resource_types=OS::Nova::Flavor") == ["both"])
            #expect(await listed("resource_types=OS::Nova::Flavor,OS::Glance::Image") == ["both", "image"])
            #expect(await listed("resource_types=OS::Glance::Image&visibility=public") == ["image"])
            #expect(await listed("resource_types=unknown") == [])
            #expect(await listed("resource_types=") == [])
        }
    }

    @Test("An invalid query of a list is refused", arguments: [
        "limit=x", "limit=-1", "sort_key=colour", "sort_dir=up", "visibility=shared", "sort_key=id%3B%20DROP",
    ])
    func badQueries(query: String) async throws {
        try await MetadefClient.run { _, admin in
            await admin.refuses(.get, "/namespaces?\(query)", nil, .badRequest)
        }
    }

    @Test("An unknown marker is a 404")
    func markers() async throws {
        try await MetadefClient.run { _, admin in
            await admin.namespace("n")
            await admin.refuses(.get, "/namespaces?marker=gone", nil, .notFound)
            await admin.refuses(.get, "/namespaces/n/tags?marker=gone", nil, .notFound)
            await admin.refuses(.get, "/namespaces/n/objects?marker=gone", nil, .notFound)
        }
    }

    @Test("Tags are listed newest first and in pages, and objects in the order of creation unless sorted otherwise")
    func parts() async throws {
        try await MetadefClient.run { _, admin in
            let named: JSON = [["name": "b"], ["name": "a"], ["name": "c"]]
            await admin.namespace("n", ["tags": named, "objects": named])
            #expect(await admin.names("/namespaces/n/tags", "tags") == ["c", "a", "b"])
            #expect(await admin.names("/namespaces/n/tags?limit=1&marker=c", "tags") == ["a"])
            #expect(await admin.names("/namespaces/n/tags?sort_key=name&sort_dir=asc", "tags") == ["a", "b", "c"])
            #expect(await admin.names("/namespaces/n/objects", "objects") == ["b", "a", "c"])
            #expect(await admin.names("/namespaces/n/objects?sort_key=name&limit=2", "objects") == ["c", "b"])
            #expect(await admin.ask(.get, "/namespaces/n/objects")["schema"] == "/v2/schemas/metadefs/objects")
        }
    }
}
