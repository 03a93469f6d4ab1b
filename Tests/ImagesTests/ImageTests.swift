import CloudCore
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@Suite("Images: creation, visibility and changes", .timeLimit(.minutes(15)))
struct ImageTests {
    @Test("A new image has the given fields and is queued", arguments: DatabaseKind.allCases)
    func create(_ kind: DatabaseKind) async throws {
        try await ImagesStage.run(on: kind) { stage in
            let id = "3d1b2c4e-0000-4000-8000-000000000001"
            let made = await stage.send(
                .post, "/images",
                [
                    "id": .string(id), "name": "first", "disk_format": "qcow2", "container_format": "bare", "min_disk": 2, "min_ram": 256,
                    "protected": true, "os_hidden": true, "visibility": "private", "tags": ["b", "a", "b"], "os_type": "linux",
                ], as: stage.demo, .created)
            #expect(made.headers[.location] == "http://cloud.test:5000/image/v2/images/\(id)")
            #expect(made.headers[.init("OpenStack-image-store-ids")!] == "file")
            let image = await stage.image(id)
            #expect(image == made.json)
            for (key, value) in [
                ("id", .string(id)), ("name", "first"), ("status", "queued"), ("disk_format", "qcow2"), ("min_disk", 2), ("min_ram", 256),
                ("protected", true), ("os_hidden", true), ("visibility", "private"), ("tags", ["a", "b"]), ("os_type", "linux"),
                ("owner", .string(stage.demoProject)), ("size", .null), ("virtual_size", .null), ("checksum", .null), ("os_hash_algo", .null),
                ("os_hash_value", .null), ("self", .string("/v2/images/\(id)")), ("file", .string("/v2/images/\(id)/file")),
                ("schema", "/v2/schemas/image"), ("created_at", "2026-01-01T00:00:00Z"), ("updated_at", "2026-01-01T00:00:00Z"),
            ] as [(String, JSON)] {
                #expect(image[key] == value, "\(key)")
            }
            #expect(image["stores"] == nil)
            #expect(image["locations"] == nil)
            await stage.send(.post, "/images", ["id": .string(id)], as: stage.demo, .conflict)
            let plain = await stage.send(.post, "/images", [:], as: stage.demo, .created).json
            #expect(plain["visibility"] == "shared")
            #expect(plain["name"] == .null)
        }
    }

    @Test("An invalid or reserved field of a new image is refused")
    func refusals() async throws {
        try await ImagesStage.run { stage in
            for body: JSON in [
                ["id": "x"], ["name": 1], ["name": .string(String(repeating: "x", count: 256))], ["disk_format": "floppy"],
                ["container_format": "box"], ["visibility": "secret"], ["protected": "yes"], ["min_disk": -1], ["min_ram": 2_147_483_648],
                ["tags": [.string(String(repeating: "x", count: 256))]], ["tags": "x"], ["custom": 1], ["custom": .null],
                .object([String(repeating: "x", count: 256): "x"]),
            ] {
                await stage.send(.post, "/images", body, as: stage.demo, .badRequest)
            }
            for body: JSON in [
                ["status": "active"], ["size": 1], ["checksum": "x"], ["created_at": "x"], ["file": "x"], ["self": "x"], ["schema": "x"],
                ["stores": "x"], ["direct_url": "x"], ["deleted": "x"], ["location": "x"], ["locations": []], ["os_glance_x": "y"],
                ["visibility": "public"], ["owner": .string(stage.otherProject)],
            ] {
                await stage.send(.post, "/images", body, as: stage.demo, .forbidden)
            }
            await stage.send(.post, "/images", [:], as: nil, .unauthorized)
            await stage.send(.post, "/images", ["visibility": "public", "owner": .string(stage.demoProject)], as: stage.admin, .created)
            await stage.send(.post, "/images", ["visibility": "community"], as: stage.demo, .created)
        }
    }

    @Test("Private, shared, community and public images are visible to the right projects")
    func visibility() async throws {
        try await ImagesStage.run { stage in
            var ids: [String: String] = [:]
            for word in ["private", "shared", "community"] { ids[word] = try await stage.make(["name": .string(word), "visibility": .string(word)]) }
            ids["public"] = try await stage.make(["name": "public", "visibility": "public"], as: stage.admin)
            #expect(Set(await stage.names()) == ["private", "shared", "community", "public"])
            #expect(Set(await stage.names(as: stage.other)) == ["public"])
            #expect(await stage.names("visibility=community", as: stage.other) == ["community"])
            #expect(Set(await stage.names("visibility=all", as: stage.other)) == ["public", "community"])
            #expect(Set(await stage.names(as: stage.admin)) == ["private", "shared", "public"])
            for (word, status) in [("private", 404), ("shared", 404), ("community", 200), ("public", 200)] {
                let id = try #require(ids[word])
                #expect(await stage.cloud.send(.get, "/image/v2/images/\(id)", token: stage.other).status.code == status, "\(word)")
                let changed = status == 200 ? HTTPResponse.Status.forbidden : .notFound
                await stage.patch(id, [["op": "replace", "path": "/name", "value": "mine"]], as: stage.other, changed)
                await stage.send(.delete, "/images/\(id)", as: stage.other, changed)
                await stage.upload([1], to: id, as: stage.other, changed)
            }
        }
    }

    @Test("An image is shared with projects, which accept or reject it", arguments: DatabaseKind.allCases)
    func members(_ kind: DatabaseKind) async throws {
        try await ImagesStage.run(on: kind) { stage in
            let id = try await stage.make(["name": "mine"])
            let members = "/images/\(id)/members"
            let made = await stage.send(.post, members, ["member": .string(stage.otherProject)], as: stage.demo, .ok).json
            #expect(made["status"] == "pending")
            #expect(made["member_id"] == .string(stage.otherProject))
            #expect(made["image_id"] == .string(id))
            #expect(made["schema"] == "/v2/schemas/member")
            await stage.send(.post, members, ["member": .string(stage.otherProject)], as: stage.demo, .conflict)
            for body: JSON in [[:], ["member": ""], ["member": 1]] { await stage.send(.post, members, body, as: stage.demo, .badRequest) }
            // The member can show the image, and lists it once it has accepted it.
            _ = await stage.image(id, as: stage.other)
            #expect(await stage.names(as: stage.other) == [])
            #expect(await stage.names("member_status=pending&visibility=shared", as: stage.other) == ["mine"])
            let mine = "\(members)/\(stage.otherProject)"
            await stage.send(.put, mine, ["status": "accepted"], as: stage.demo, .forbidden)
            await stage.send(.put, mine, ["status": "perhaps"], as: stage.other, .badRequest)
            #expect(await stage.send(.put, mine, ["status": "accepted"], as: stage.other, .ok).json["status"] == "accepted")
            #expect(await stage.names(as: stage.other) == ["mine"])
            // A member sees only its own membership and shares with nobody.
            await stage.send(.post, members, ["member": .string(stage.adminProject)], as: stage.demo, .ok)
            #expect(await stage.send(.get, members, as: stage.demo, .ok).json["members"]?.array?.count == 2)
            #expect(await stage.send(.get, members, as: stage.other, .ok).json["members"]?.array?.count == 1)
            await stage.send(.get, "\(members)/\(stage.adminProject)", as: stage.other, .notFound)
            await stage.send(.post, members, ["member": "x"], as: stage.other, .forbidden)
            await stage.send(.delete, mine, as: stage.other, .forbidden)
            await stage.send(.put, mine, ["status": "rejected"], as: stage.other, .ok)
            #expect(await stage.names(as: stage.other) == [])
            #expect(await stage.names("member_status=all", as: stage.other) == ["mine"])
            await stage.send(.delete, mine, as: stage.demo, .noContent)
            await stage.send(.get, mine, as: stage.demo, .notFound)
            await stage.send(.get, "/images/\(id)", as: stage.other, .notFound)
            await stage.patch(id, [["op": "replace", "path": "/visibility", "value": "private"]])
            await stage.send(.post, members, ["member": "x"], as: stage.demo, .forbidden)
        }
    }

    @Test("A patch in either form changes all its members and properties, or none")
    func patches() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make(["name": "old", "kept": "k", "gone": "g"])
            stage.cloud.clock.advance(by: .seconds(5))
            let image = await stage.patch(
                id,
                [
                    ["op": "replace", "path": "/name", "value": "new"], ["op": "add", "path": "/a~1b", "value": "slash"],
                    ["op": "remove", "path": "/gone"], ["op": "replace", "path": "/tags", "value": ["x", "y"]],
                    ["op": "add", "path": "/min_disk", "value": 7],
                ]).json
            #expect(image["name"] == "new")
            #expect(image["a/b"] == "slash")
            #expect(image["gone"] == nil)
            #expect(image["kept"] == "k")
            #expect(image["tags"] == ["x", "y"])
            #expect(image["min_disk"] == 7)
            #expect(image["created_at"] == "2026-01-01T00:00:00Z")
            #expect(image["updated_at"] == "2026-01-01T00:00:05Z")
            #expect(await stage.patch(id, [["replace": "/name", "value": "old form"]], form: "2.0").json["name"] == "old form")
            await stage.patch(id, [["add": "/kept", "value": "x"]], form: "2.0", .conflict)

            // The second change fails, so the first is not kept.
            await stage.patch(id, [["op": "replace", "path": "/name", "value": "half"], ["op": "remove", "path": "/nothing"]], .conflict)
            #expect(await stage.image(id)["name"] == "old form")
            await stage.patch(id, [["op": "replace", "path": "/nothing", "value": "x"]], .conflict)
            for name in ["id", "status", "size", "checksum", "created_at", "self", "file", "schema", "os_hash_value", "deleted", "os_glance_x"] {
                await stage.patch(id, [["op": "replace", "path": .string("/\(name)"), "value": "x"]], .forbidden)
            }
            await stage.patch(id, [["op": "remove", "path": "/name"]], .forbidden)
            await stage.patch(id, [["op": "replace", "path": "/visibility", "value": "public"]], .forbidden)
            await stage.patch(id, [["op": "replace", "path": "/owner", "value": "x"]], .forbidden)
            await stage.patch(id, [["op": "replace", "path": "/locations", "value": []]], .forbidden)
            for body: JSON in [
                [:], [1], [["op": "move", "path": "/a", "value": "x"]], [["path": "/a", "value": "x"]], [["op": "add", "path": "/a"]],
                [["op": "add", "value": "x"]], [["op": "add", "path": "a", "value": "x"]], [["op": "add", "path": "/a/b", "value": "x"]],
                [["op": "add", "path": "/a//b", "value": "x"]], [["op": "add", "path": "/a~2", "value": "x"]], [["op": "add", "path": "/", "value": "x"]],
                [["op": "replace", "path": "/name", "value": 1]], [["op": "replace", "path": "/min_ram", "value": -1]],
                [["op": "add", "path": "/custom", "value": .null]], [["op": "replace", "path": "/visibility", "value": "x"]],
            ] {
                await stage.patch(id, body, .badRequest)
            }
            await stage.patch(id, [["add": "/a", "remove": "/b", "value": "x"]], form: "2.0", .badRequest)
            let refused = await stage.send(.patch, "/images/\(id)", [], as: stage.demo, .unsupportedMediaType)
            #expect(refused.headers[.init("Accept-Patch")!]?.contains("openstack-images-v2.1-json-patch") == true)
            #expect(await stage.patch(id, [["op": "replace", "path": "/owner", "value": "x"]], as: stage.admin).json["owner"] == "x")
        }
    }

    @Test("Formats cannot be changed once there is data, and a protected image cannot be deleted")
    func fixed() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make(["protected": true])
            await stage.patch(id, [["op": "replace", "path": "/disk_format", "value": "raw"]])
            await stage.upload([1, 2, 3], to: id)
            await stage.patch(id, [["op": "replace", "path": "/disk_format", "value": "qcow2"]], .forbidden)
            await stage.patch(id, [["op": "replace", "path": "/container_format", "value": "ova"]], .forbidden)
            await stage.send(.delete, "/images/\(id)", as: stage.demo, .forbidden)
            await stage.patch(id, [["op": "replace", "path": "/protected", "value": false]])
            await stage.send(.delete, "/images/\(id)", as: stage.demo, .noContent)
            await stage.send(.get, "/images/\(id)", as: stage.demo, .notFound)
            await stage.send(.delete, "/images/\(id)", as: stage.demo, .notFound)
            await stage.send(.get, "/images/", as: stage.demo, .notFound)
            await stage.send(.delete, "/images/", as: stage.demo, .notFound)
        }
    }

    @Test("Tags are added and removed one by one")
    func tags() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make()
            for _ in 1...2 { await stage.send(.put, "/images/\(id)/tags/a%20tag", as: stage.demo, .noContent) }
            #expect(await stage.image(id)["tags"] == ["a tag"])
            await stage.send(.delete, "/images/\(id)/tags/none", as: stage.demo, .notFound)
            await stage.send(.delete, "/images/\(id)/tags/a%20tag", as: stage.demo, .noContent)
            await stage.send(.put, "/images/\(id)/tags/\(String(repeating: "x", count: 256))", as: stage.demo, .badRequest)
            await stage.send(.put, "/images/\(id)/tags/x", as: stage.other, .notFound)
            #expect(await stage.image(id)["tags"] == [])
        }
    }

    @Test("Only administrators can download a deactivated image")
    func deactivation() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make()
            await stage.send(.post, "/images/\(id)/actions/deactivate", as: stage.admin, .forbidden)
            await stage.upload([1], to: id)
            await stage.send(.post, "/images/\(id)/actions/deactivate", as: stage.other, .notFound)
            for _ in 1...2 { await stage.send(.post, "/images/\(id)/actions/deactivate", as: stage.admin, .noContent) }
            #expect(await stage.image(id)["status"] == "deactivated")
            await stage.send(.get, "/images/\(id)/file", as: stage.demo, .forbidden)
            await stage.send(.get, "/images/\(id)/file", as: stage.admin, .ok)
            for _ in 1...2 { await stage.send(.post, "/images/\(id)/actions/reactivate", as: stage.admin, .noContent) }
            await stage.send(.get, "/images/\(id)/file", as: stage.demo, .ok)
        }
    }

    @Test("Versions, schemas and information on stores are shown")
    func information() async throws {
        try await ImagesStage.run { stage in
            for (path, status) in [("", 300), ("/", 300), ("/versions", 200), ("/v2/", 300), ("/v2", 300)] {
                let reply = await stage.cloud.send(.get, "/image\(path)")
                #expect(reply.status.code == status)
                #expect(reply.json["versions"]?.array?.first?["id"] == "v2.17")
                #expect(reply.json["versions"]?.array?.first?["links"] == [["rel": "self", "href": "http://cloud.test:5000/image/v2/"]])
            }
            for name in ["image", "images", "member", "members"] {
                #expect(await stage.send(.get, "/schemas/\(name)", as: stage.demo, .ok).json["name"] == .string(name))
                await stage.send(.get, "/schemas/\(name)", as: nil, .unauthorized)
            }
            let schema = await stage.send(.get, "/schemas/image", as: stage.demo, .ok).json
            #expect(schema["properties"]?["disk_format"]?["enum"]?.array?.first == .null)
            #expect(schema["properties"]?["status"]?["readOnly"] == true)
            #expect(schema["additionalProperties"] == ["type": "string"])
            #expect(await stage.send(.get, "/info/stores", as: stage.demo, .ok).json == ["stores": [["id": "file", "default": "true"]]])
            await stage.send(.get, "/info/stores/detail", as: stage.demo, .forbidden)
            await stage.send(.get, "/info/stores/detail", as: stage.admin, .ok)
            #expect(
                await stage.send(.get, "/info/import", as: stage.demo, .ok).json["import-methods"]?["value"]
                    == ["glance-direct", "web-download", "copy-image", "glance-download"])
        }
    }
}
