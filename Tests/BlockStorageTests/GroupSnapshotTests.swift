import CloudCore
import HTTPTypes
import TestSupport
import Testing

@Suite("Snapshots and copies of groups")
struct GroupSnapshotTests {
    @Test(
        "A group is snapshotted, copied from that and from itself, and all goes again",
        arguments: DatabaseKind.allCases)
    func life(_ kind: DatabaseKind) async throws {
        try await VolumeClient.run(on: kind, hosts: 2) { cloud in
            let stage = try await GroupClient(cloud)
            let demo = stage.demo
            let group = try await stage.group()
            for size: JSON in [1, 2] { _ = try await stage.volume(in: group, ["size": size]) }
            let snapshot = try await stage.snapshot(of: group)
            #expect(await stage.snapshotStatus(snapshot) == "creating")
            try await cloud.settle()
            #expect(await stage.snapshotStatus(snapshot) == "available")
            let parts = await demo.good(.get, "/snapshots/detail")["snapshots"]?.array ?? []
            #expect(parts.count == 2 && parts.allSatisfy { $0["group_snapshot_id"] == .string(snapshot) })
            await demo.refused(.badRequest, .delete, "/snapshots/\(parts[0]["id"]?.string ?? "")")
            let deletion: JSON = ["delete": ["delete-volumes": true]]
            #expect(
                await demo.refused(.badRequest, .post, "/groups/\(group)/action", deletion)
                    == "Invalid Group: Group has existing snapshots.")
            var copies: [String] = []
            let sources: [JSONObject] = [
                ["group_snapshot_id": .string(snapshot), "source_group_id": .null],
                ["source_group_id": .string(group)],
            ]
            for source in sources {
                let made = await demo.good(.post, "/groups/action", ["create-from-src": .object(source)])["group"]
                let copy = try #require(made?["id"]?.string)
                #expect(await stage.show(copy)["status"] == "creating")
                // The thing that a copy is made of stays until it is made.
                if source["group_snapshot_id"] != nil {
                    await demo.refused(.badRequest, .delete, "/group_snapshots/\(snapshot)")
                }
                try await cloud.settle()
                let shown = await stage.show(copy)
                #expect(shown["status"] == "available" && shown["volumes"]?.array?.count == 2)
                copies.append(copy)
            }
            #expect(await demo.good(.get, "/volumes/detail?size=2")["volumes"]?.array?.count == 3)
            await demo.good(.delete, "/group_snapshots/\(snapshot)")
            #expect(await stage.snapshotStatus(snapshot) == "deleting")
            try await cloud.settle()
            await demo.refused(.notFound, .get, "/group_snapshots/\(snapshot)")
            #expect(await demo.names("/snapshots", "snapshots") == [])
            for one in copies + [group] { await demo.good(.post, "/groups/\(one)/action", deletion) }
            try await cloud.settle()
            #expect(await demo.names("/groups", "groups") == [])
            #expect(await demo.names("/volumes") == [])
        }
    }

    @Test("A group snapshot and a group are in error if one of their parts is")
    func failures() async throws {
        try await GroupClient.run { cloud, stage in
            let demo = stage.demo
            let group = try await stage.group()
            let volume = try await stage.volume(in: group, ["metadata": ["simulate:fault": "snapshot-fails"]])
            _ = try await stage.volume(in: group)
            let snapshot = try await stage.snapshot(of: group)
            try await cloud.settleAll()
            #expect(await stage.snapshotStatus(snapshot) == "error")
            await demo.good(.delete, "/group_snapshots/\(snapshot)")
            try await cloud.settleAll()
            await demo.refused(.notFound, .get, "/group_snapshots/\(snapshot)")
            #expect(await demo.status(volume) == "available")
        }
    }

    @Test("A group without volumes has an empty snapshot, of which no group is made")
    func empty() async throws {
        try await GroupClient.run { _, stage in
            let group = try await stage.group()
            let snapshot = try await stage.snapshot(of: group)
            #expect(await stage.snapshotStatus(snapshot) == "available")
            func copy(_ name: String, _ id: String) -> JSON { ["create-from-src": [name: .string(id)]] }
            #expect(
                await stage.demo.refused(.badRequest, .post, "/groups/action", copy("group_snapshot_id", snapshot))
                    == "Invalid Group: Group snapshot is empty. No group will be created.")
            #expect(
                await stage.demo.refused(.badRequest, .post, "/groups/action", copy("source_group_id", group))
                    == "Invalid Group: Source Group is empty. No group will be created.")
            await stage.demo.refused(.badRequest, .post, "/groups/action", ["create-from-src": ["name": "x"]])
            await stage.admin.good(
                .post, "/group_snapshots/\(snapshot)/action", ["reset_status": ["status": "creating"]])
            await stage.demo.refused(.badRequest, .delete, "/group_snapshots/\(snapshot)")
            await stage.admin.good(.post, "/group_snapshots/\(snapshot)/action", ["reset_status": ["status": "error"]])
            await stage.demo.good(.delete, "/group_snapshots/\(snapshot)")
            await stage.demo.refused(.notFound, .get, "/group_snapshots/\(snapshot)")
        }
    }

    @Test("The snapshots of a group count in the quota of its project, all or none")
    func quota() async throws {
        try await GroupClient.run { _, stage in
            let group = try await stage.group()
            let volume = await stage.demo.show(try await stage.volume(in: group))
            _ = try await stage.volume(in: group)
            let project = try #require(volume["os-vol-tenant-attr:tenant_id"]?.string)
            await stage.admin.good(.put, "/os-quota-sets/\(project)", ["quota_set": ["snapshots": 1]])
            let body: JSON = ["group_snapshot": ["group_id": .string(group)]]
            await stage.demo.refused(.contentTooLarge, .post, "/group_snapshots", body)
            #expect(await stage.demo.names("/group_snapshots", "group_snapshots") == [])
            #expect(await stage.demo.good(.get, "/snapshots")["snapshots"]?.array?.isEmpty == true)
        }
    }

    @Test("Consistency groups are groups of a type that an operator makes, and the newer API leaves them alone")
    func older() async throws {
        try await GroupClient.run { cloud, stage in
            let demo = stage.demo
            let body: JSON = ["consistencygroup": ["name": "c", "volume_types": "__DEFAULT__,"]]
            #expect(
                await demo.refused(.badRequest, .post, "/consistencygroups", body, minor: 0).hasPrefix(
                    "Group type default_cgsnapshot_type not found."))
            _ = try await stage.type("default_cgsnapshot_type")
            let made = await demo.good(.post, "/consistencygroups", body, minor: 0)["consistencygroup"]
            let id = try #require(made?["id"]?.string)
            let path = "/consistencygroups/\(id)"
            let shown = await demo.good(.get, path)["consistencygroup"]
            #expect(shown?["status"] == "available" && shown?["volume_types"]?.array?.count == 1)
            await demo.refused(.badRequest, .get, "/groups/\(id)")
            #expect(await demo.names("/groups", "groups") == [])
            #expect(await demo.names("/consistencygroups/detail", "consistencygroups") == ["c"])
            let volume = try await demo.volume(["consistencygroup_id": .string(id), "volume_type": "__DEFAULT__"])
            #expect(await demo.show(volume)["consistencygroup_id"] == .string(id))
            await demo.good(.put, path + "/update", ["consistencygroup": ["description": "d"]])
            await demo.good(.put, path, ["consistencygroup": ["description": "e"]])
            await demo.refused(.badRequest, .put, path + "/update", ["consistencygroup": ["name": ""]])
            let snapshotBody: JSON = ["cgsnapshot": ["consistencygroup_id": .string(id), "name": "s"]]
            let taken = await demo.good(.post, "/cgsnapshots", snapshotBody)["cgsnapshot"]
            let snapshot = try #require(taken?["id"]?.string)
            try await cloud.settle()
            #expect(await demo.good(.get, "/cgsnapshots/detail")["cgsnapshots"]?.array?.first?["status"] == "available")
            await demo.refused(.badRequest, .get, "/group_snapshots/\(snapshot)")
            let copy: JSON = ["consistencygroup-from-src": ["cgsnapshot_id": .string(snapshot)]]
            await demo.good(.post, "/consistencygroups/create_from_src", copy)
            try await cloud.settle()
            await demo.good(.delete, "/cgsnapshots/\(snapshot)")
            try await cloud.settle()
            #expect(await demo.names("/cgsnapshots", "cgsnapshots") == [])
            await demo.refused(.badRequest, .post, path + "/delete")
            await demo.good(.post, path + "/delete", ["consistencygroup": ["force": true]])
            try await cloud.settle()
            await demo.refused(.notFound, .get, path)
        }
    }
}
