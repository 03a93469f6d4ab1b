import CloudCore
import HTTPTypes
import TestSupport
import Testing

@Suite("Actions on volumes")
struct ActionTests {
    @Test("A volume grows, alone and in use, and never shrinks")
    func extend() async throws {
        try await VolumeClient.runAsMember { cloud, client in
            let id = try await client.volume()
            await client.act(id, "os-extend", ["new_size": 3])
            #expect(await client.status(id) == "extending")
            try await cloud.settle()
            #expect(await client.show(id)["size"] == 3)
            #expect(await client.status(id) == "available")
            let smaller: JSON = ["os-extend": ["new_size": 2]]
            #expect(
                await client.refused(.badRequest, .post, "/volumes/\(id)/action", smaller).contains("must be greater"))
            await client.act(id, "os-attach", ["host_name": "h", "mountpoint": "/mnt"])
            await client.refused(.badRequest, .post, "/volumes/\(id)/action", ["os-extend": ["new_size": 4]], minor: 41)
            await client.act(id, "os-extend", ["new_size": 4])
            try await cloud.settle()
            #expect(await client.show(id)["size"] == 4)
            #expect(await client.status(id) == "in-use")
        }
    }

    @Test("A host that cannot grow a volume leaves it in error_extending, and the quota counts the old size")
    func failedExtend() async throws {
        try await VolumeClient.runAsMember { cloud, client in
            let id = try await client.volume(["metadata": ["simulate:fault": "grow-fails"]])
            await client.act(id, "os-extend", ["new_size": 5])
            try await cloud.settleAll()
            #expect(await client.show(id)["size"] == 1)
            #expect(await client.status(id) == "error_extending")
            let limits = await client.good(.get, "/limits")["limits"]?["absolute"]
            #expect(limits?["totalGigabytesUsed"] == 1)
            let message = await client.good(.get, "/messages")["messages"]?.array?.first
            #expect(message?["user_message"]?.string?.hasPrefix("extend volume:") == true)
        }
    }

    @Test("Flags are set, and a read-only volume is attached read-only")
    func flags() async throws {
        try await VolumeClient.runAsMember { _, client in
            let id = try await client.volume()
            await client.act(id, "os-set_bootable", ["bootable": true])
            await client.act(id, "os-update_readonly_flag", ["readonly": true])
            let shown = await client.show(id)
            #expect(shown["bootable"] == "true" && shown["metadata"]?["readonly"] == "True")
            let attach: JSON = ["os-attach": ["host_name": "h", "mountpoint": "/mnt", "mode": "rw"]]
            await client.refused(.badRequest, .post, "/volumes/\(id)/action", attach)
            await client.act(id, "os-attach", ["host_name": "h", "mountpoint": "/mnt", "mode": "ro"])
        }
    }

    @Test("A volume goes back to its latest snapshot alone")
    func revert() async throws {
        try await VolumeClient.runAsMember { cloud, client in
            let id = try await client.volume()
            let first = try await client.snapshot(of: id)
            cloud.clock.advance(by: .seconds(1))
            let last = try await client.snapshot(of: id)
            await client.refused(
                .badRequest, .post, "/volumes/\(id)/action", ["revert": ["snapshot_id": .string(first)]])
            await client.act(id, "revert", ["snapshot_id": .string(last)])
            #expect(await client.status(id) == "reverting")
            try await cloud.settle()
            #expect(await client.status(id) == "available")
            #expect(await client.good(.get, "/snapshots/\(last)")["snapshot"]?["status"] == "available")
        }
    }

    @Test("A volume gets another type that its pool serves")
    func retype() async throws {
        try await VolumeClient.run { _, admin, client in
            _ = try await admin.type("good", ["thin_provisioning_support": "<is> True"])
            _ = try await admin.type("far", ["volume_backend_name": "elsewhere"])
            let id = try await client.volume()
            await client.act(id, "os-retype", ["new_type": "good", "migration_policy": "never"])
            #expect(await client.show(id)["volume_type"] == "good")
            await client.refused(.conflict, .post, "/volumes/\(id)/action", ["os-retype": ["new_type": "far"]])
            await client.refused(.badRequest, .post, "/volumes/\(id)/action", ["os-retype": ["new_type": "good"]])
        }
    }

    @Test("An administrator resets states, to those that the reference allows")
    func reset() async throws {
        try await VolumeClient.run { cloud, admin, client in
            let id = try await client.volume()
            await client.refused(.forbidden, .post, "/volumes/\(id)/action", ["os-reset_status": ["status": "error"]])
            await admin.act(id, "os-reset_status", ["status": "error"])
            #expect(await client.status(id) == "error")
            for status in ["deleting", "in-use", "asleep"] {
                let body: JSON = ["os-reset_status": ["status": .string(status)]]
                await admin.refused(.badRequest, .post, "/volumes/\(id)/action", body)
            }
            await admin.act(id, "os-force_delete")
            try await cloud.settle()
            await client.refused(.notFound, .get, "/volumes/\(id)")
        }
    }

    @Test("A word that is no action is refused, and an action of a newer version is not found")
    func words() async throws {
        try await VolumeClient.runAsMember { _, client in
            let id = try await client.volume()
            await client.refused(.badRequest, .post, "/volumes/\(id)/action", ["os-dance": .null])
            await client.refused(.notFound, .post, "/volumes/\(id)/action", ["revert": [:]], minor: 39)
        }
    }
}
