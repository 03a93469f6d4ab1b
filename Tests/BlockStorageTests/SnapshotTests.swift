import CloudCore
import HTTPTypes
import TestSupport
import Testing

@Suite("Snapshots")
struct SnapshotTests {
    @Test(
        "A snapshot is taken, found, changed and deleted, and its volume waits for that",
        arguments: DatabaseKind.allCases)
    func life(_ kind: DatabaseKind) async throws {
        try await VolumeClient.runAsMember(on: kind) { cloud, client in
            let volume = try await client.volume()
            let id = try await client.snapshot(of: volume)
            let shown = await client.good(.get, "/snapshots/\(id)")["snapshot"]
            #expect(shown?["status"] == "available" && shown?["size"] == 1 && shown?["volume_id"] == .string(volume))
            #expect(shown?["os-extended-snapshot-attributes:progress"] == "100%")
            #expect(await client.names("/snapshots?volume_id=\(volume)", "snapshots") == ["s"])
            #expect(await client.names("/snapshots/detail?name=other", "snapshots") == [])
            await client.good(.put, "/snapshots/\(id)", ["snapshot": ["name": "t"]])
            #expect(await client.names("/snapshots", "snapshots") == ["t"])
            await client.refused(.badRequest, .delete, "/volumes/\(volume)")
            await client.good(.delete, "/snapshots/\(id)")
            try await cloud.settle()
            await client.refused(.notFound, .get, "/snapshots/\(id)")
            await client.good(.delete, "/volumes/\(volume)")
        }
    }

    @Test("A volume in use is snapshotted with force, and without it from 3.66 on")
    func used() async throws {
        try await VolumeClient.runAsMember { cloud, client in
            let volume = try await client.volume()
            await client.act(volume, "os-attach", ["host_name": "h", "mountpoint": "/mnt"])
            let plain: JSON = ["snapshot": ["volume_id": .string(volume)]]
            #expect(
                await client.refused(.badRequest, .post, "/snapshots", plain, minor: 65).contains(
                    "status must be available"))
            let forced: JSON = ["snapshot": ["volume_id": .string(volume), "force": true]]
            await client.good(.post, "/snapshots", forced, minor: 65)
            await client.good(.post, "/snapshots", plain)
            let unforced: JSON = ["snapshot": ["volume_id": .string(volume), "force": false]]
            await client.refused(.badRequest, .post, "/snapshots", unforced)
            try await cloud.settle()
            #expect(await client.names("/snapshots?status=available", "snapshots").isEmpty)
            #expect(await client.good(.get, "/snapshots?status=available")["snapshots"]?.array?.count == 2)
        }
    }

    @Test("The progress of a snapshot is the one that was reported, if one was")
    func progress() async throws {
        try await VolumeClient.runAsMember { _, client in
            let volume = try await client.volume()
            let made = await client.good(.post, "/snapshots", ["snapshot": ["volume_id": .string(volume)]])
            let path = "/snapshots/\(made["snapshot"]?["id"]?.string ?? "")"
            func report(_ progress: String) -> JSON {
                ["os-update_snapshot_status": ["status": "creating", "progress": .string(progress)]]
            }
            await client.good(.post, path + "/action", report("80%"))
            let shown = await client.good(.get, path)["snapshot"]
            #expect(shown?["os-extended-snapshot-attributes:progress"] == "80%")
            for wrong in ["80", "101%", "x%"] {
                await client.refused(.badRequest, .post, path + "/action", report(wrong))
            }
        }
    }

    @Test("A volume is deleted with its snapshots if that is asked for")
    func cascade() async throws {
        try await VolumeClient.runAsMember { cloud, client in
            let volume = try await client.volume()
            let id = try await client.snapshot(of: volume)
            await client.good(.delete, "/volumes/\(volume)?cascade=true")
            try await cloud.settle()
            await client.refused(.notFound, .get, "/snapshots/\(id)")
            await client.refused(.notFound, .get, "/volumes/\(volume)")
        }
    }

    @Test("Metadata of volumes and snapshots is set, merged, replaced and removed")
    func metadata() async throws {
        try await VolumeClient.runAsMember { _, client in
            let volume = try await client.volume()
            let snapshot = try await client.snapshot(of: volume)
            for path in ["/volumes/\(volume)/metadata", "/snapshots/\(snapshot)/metadata"] {
                await client.good(.post, path, ["metadata": ["a": "1", "b": "2"]])
                await client.good(.put, path + "/b", ["meta": ["b": "3"]])
                #expect(await client.good(.get, path)["metadata"] == ["a": "1", "b": "3"])
                await client.refused(.badRequest, .put, path + "/c", ["meta": ["b": "3"]])
                await client.good(.delete, path + "/a")
                await client.refused(.notFound, .get, path + "/a")
                #expect(await client.good(.put, path, ["metadata": ["z": "9"]])["metadata"] == ["z": "9"])
                #expect(await client.good(.get, path + "/z")["meta"] == ["z": "9"])
            }
        }
    }
}
