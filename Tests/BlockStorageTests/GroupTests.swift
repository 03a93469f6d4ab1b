import CloudCore
import HTTPTypes
import TestSupport
import Testing

@Suite("Groups of volumes")
struct GroupTests {
    @Test(
        "A group is made, gets volumes in its pool, and goes with the last of them", arguments: DatabaseKind.allCases)
    func life(_ kind: DatabaseKind) async throws {
        try await VolumeClient.run(on: kind, hosts: 3) { cloud in
            let stage = try await GroupClient(cloud)
            let demo = stage.demo
            let group = try await stage.group()
            #expect(await stage.show(group)["status"] == "available")
            var volumes: [String] = []
            for _ in 0..<3 {
                cloud.clock.advance(by: .seconds(1))
                volumes.append(try await stage.volume(in: group))
            }
            let shown = await stage.show(group)
            #expect(shown["volumes"]?.array == volumes.map { .string($0) } && shown["replication_status"] == "disabled")
            #expect(await demo.show(volumes[0])["group_id"] == .string(group))
            var places: Set<JSON> = []
            for volume in volumes {
                places.insert(await stage.admin.show(volume)["os-vol-host-attr:host"] ?? .null)
            }
            #expect(places.count == 1)
            #expect(await demo.names("/volumes?group_id=\(group)").count == 3)
            await demo.refused(.badRequest, .delete, "/volumes/\(volumes[0])")
            let path = "/groups/\(group)/action"
            #expect(
                await demo.refused(.badRequest, .post, path, ["delete": [:]])
                    == "Invalid Group: Group \(group) still contains volumes. The delete-volumes flag is required to "
                    + "delete it.")
            await demo.good(.post, path, ["delete": ["delete-volumes": true]])
            #expect(await stage.show(group)["status"] == "deleting")
            try await cloud.settle()
            await demo.refused(.notFound, .get, "/groups/\(group)")
            #expect(await demo.names("/volumes") == [])
            let project = try #require(await demo.show(try await demo.volume())["os-vol-tenant-attr:tenant_id"]?.string)
            let used = await demo.good(.get, "/os-quota-sets/\(project)?usage=true")["quota_set"]
            #expect(used?["groups"]?["in_use"] == 0 && used?["volumes"]?["in_use"] == 1)
        }
    }

    @Test("Volumes join and leave a group, if they are of its project, its types and its pool")
    func membership() async throws {
        try await VolumeClient.run(hosts: 2) { cloud in
            let stage = try await GroupClient(cloud)
            let demo = stage.demo
            let (group, other) = (try await stage.group("a"), try await stage.group("b"))
            let first = try await stage.volume(in: group)
            func change(_ members: JSONObject) -> JSON { ["group": .object(members)] }
            let path = "/groups/\(group)"
            await demo.good(.put, path, change(["remove_volumes": .string(first)]))
            #expect(await demo.show(first)["group_id"] == .null)
            await demo.good(.put, path, change(["name": " new ", "add_volumes": .string(first + ",")]))
            #expect(await stage.show(group)["name"] == "new")
            #expect(await stage.show(group)["volumes"] == [.string(first)])
            let both = change(["add_volumes": .string(first), "remove_volumes": .string(first)])
            #expect(await demo.refused(.badRequest, .put, path, both).contains("are in both add and remove"))
            #expect(await demo.refused(.badRequest, .put, path, change(["name": "new"])).contains("no valid name"))
            let taken = change(["add_volumes": .string(first)])
            #expect(
                await demo.refused(.badRequest, .put, "/groups/\(other)", taken).hasSuffix(
                    "because it is already in group \(group)."))
            let foreign = change(["add_volumes": .string(try await stage.admin.volume())])
            #expect(await demo.refused(.badRequest, .put, path, foreign).contains("volume cannot be found"))
            #expect(
                await stage.admin.refused(.badRequest, .put, path, foreign).contains("belong to different projects"))
            _ = try await stage.admin.type("gold")
            let gold = try await demo.volume(["volume_type": "gold"])
            let wrong = change(["add_volumes": .string(gold)])
            #expect(await demo.refused(.badRequest, .put, path, wrong).contains("is not supported by the group"))
            let gone = change(["remove_volumes": .string(gold)])
            #expect(await demo.refused(.badRequest, .put, path, gone).contains("it is not in the group"))
            let place = await stage.admin.show(first)["os-vol-host-attr:host"]
            var far = try await demo.volume()
            if await stage.admin.show(far)["os-vol-host-attr:host"] == place { far = try await demo.volume() }
            #expect(
                await demo.refused(.badRequest, .put, path, change(["add_volumes": .string(far)]))
                    == "Invalid volume: Volume is not local to this node.")
        }
    }

    @Test("A volume of a group needs a type that the group has")
    func types() async throws {
        try await GroupClient.run { _, stage in
            let group = try await stage.group()
            _ = try await stage.admin.type("gold")
            func wish(_ members: JSONObject) -> JSON {
                var wish = members
                (wish["size"], wish["group_id"]) = (1, .string(group))
                return ["volume": .object(wish)]
            }
            #expect(
                await stage.demo.refused(.badRequest, .post, "/volumes", wish([:])).contains(
                    "volume_type must be provided"))
            #expect(
                await stage.demo.refused(.badRequest, .post, "/volumes", wish(["volume_type": "gold"])).contains(
                    "requested type must be supported by this group"))
            let type = try #require(await stage.demo.good(.get, "/types/default")["volume_type"]?["id"]?.string)
            #expect(await stage.show(group)["volume_types"] == [.string(type)])
        }
    }

    @Test("A group is in error if no pool meets the demands of its type, and is deleted at once")
    func noPool() async throws {
        try await GroupClient.run { _, stage in
            _ = try await stage.type("strict", ["consistent_group_snapshot_enabled": "<is> True"])
            let group = try await stage.group(type: "strict")
            #expect(await stage.show(group)["status"] == "error")
            await stage.demo.good(.post, "/groups/\(group)/action", ["delete": [:]])
            await stage.demo.refused(.notFound, .get, "/groups/\(group)")
        }
    }

    @Test("A project has no more groups than its quota allows")
    func quota() async throws {
        try await GroupClient.run { _, stage in
            let volume = await stage.demo.show(try await stage.demo.volume())
            let project = try #require(volume["os-vol-tenant-attr:tenant_id"]?.string)
            _ = try await stage.group()
            await stage.admin.good(.put, "/os-quota-sets/\(project)", ["quota_set": ["groups": 1]])
            let body: JSON = ["group": ["group_type": "g", "volume_types": ["__DEFAULT__"]]]
            #expect(
                await stage.demo.refused(.contentTooLarge, .post, "/groups", body)
                    == "Maximum number of groups allowed (1) exceeded")
        }
    }

    @Test("Groups are listed by project, and an administrator sets their states")
    func lists() async throws {
        try await GroupClient.run { _, stage in
            let (first, _) = (try await stage.group("a"), try await stage.group("b"))
            #expect(await stage.demo.names("/groups?sort=name:asc", "groups") == ["a", "b"])
            #expect(await stage.demo.names("/groups/detail?name=b", "groups") == ["b"])
            #expect(await stage.admin.names("/groups", "groups") == [])
            #expect(await stage.admin.names("/groups/detail?all_tenants=true", "groups").count == 2)
            let detail = await stage.admin.good(.get, "/groups/detail?all_tenants=true")["groups"]?.array?.first
            #expect(detail?["project_id"]?.string != nil && detail?["volumes"] == nil)
            await stage.demo.refused(.badRequest, .get, "/groups?color=red")
            let path = "/groups/\(first)/action"
            await stage.demo.refused(.forbidden, .post, path, ["reset_status": ["status": "error"]])
            await stage.admin.good(.post, path, ["reset_status": ["status": "ERROR"]])
            #expect(await stage.show(first)["status"] == "error")
            for wrong: JSON in ["in-use", "red", " "] {
                await stage.admin.refused(.badRequest, .post, path, ["reset_status": ["status": wrong]])
            }
            await stage.admin.refused(.notFound, .get, "/groups/\(first)", minor: 12)
        }
    }

    @Test("A group type has specs that administrators see, and goes when no group has it")
    func groupTypes() async throws {
        try await GroupClient.run { _, stage in
            let (admin, demo) = (stage.admin, stage.demo)
            let id = try await stage.type("g", ["a": "1"])
            let path = "/group_types/\(id)"
            await admin.refused(.conflict, .post, "/group_types", ["group_type": ["name": "g"]])
            await demo.refused(.forbidden, .post, "/group_types", ["group_type": ["name": "h"]])
            #expect(await demo.good(.get, path)["group_type"]?["group_specs"] == nil)
            await admin.good(.post, path + "/group_specs", ["group_specs": ["b": "2"]])
            await admin.good(.put, path + "/group_specs/b", ["b": "3"])
            #expect(await admin.good(.get, path)["group_type"]?["group_specs"] == ["a": "1", "b": "3"])
            await admin.good(.delete, path + "/group_specs/a")
            #expect(await admin.good(.get, path + "/group_specs")["group_specs"] == ["b": "3"])
            await admin.refused(.notFound, .get, path + "/group_specs/a")
            await admin.good(.put, path, ["group_type": ["name": "own", "is_public": false]])
            await demo.refused(.notFound, .get, path)
            #expect(await demo.names("/group_types", "group_types") == [])
            #expect(await admin.names("/group_types?is_public=None", "group_types") == ["own"])
            await admin.good(.put, path, ["group_type": ["is_public": true]])
            await demo.refused(.notFound, .get, "/group_types/default")
            let group = try await stage.group(type: "own")
            #expect(await admin.refused(.badRequest, .delete, path) == "Target group type is still in use.")
            await demo.good(.post, "/groups/\(group)/action", ["delete": [:]])
            await admin.good(.delete, path)
            await admin.refused(.notFound, .get, path)
        }
    }
}
