import CloudCore
import ControlPlane
import HTTPTypes
import TestSupport
import Testing

@Suite("Volumes that move between pools")
struct MigrationTests {
    private static let first = "host-1@volumes#volumes"
    private static let second = "host-1@volumes-2#volumes-2"

    /// Runs `body` with a cloud of two hosts with two pools each.
    private static func run(_ body: (TestCloud) async throws -> Void) async throws {
        try await TestCloud.run({ configuration in
            (configuration.simulate.enabled, configuration.simulate.hosts) = (true, 2)
            configuration.simulate.pools = 2
        }) { try await body($0) }
    }

    /// Makes a volume in the first pool of the first host.
    private static func volume(
        _ client: VolumeClient, _ admin: VolumeClient, _ more: JSONObject = [:]
    ) async throws -> String {
        let id = try await client.volume(more)
        let place = await admin.show(id)["os-vol-host-attr:host"]?.string
        #expect(place == first, "\(place ?? "nowhere")")
        return id
    }

    @Test("A volume moves to another pool of its host, keeps its id, and shows how far it is")
    func migrate() async throws {
        try await Self.run { cloud in
            let (admin, demo) = (try await VolumeClient(cloud), try await VolumeClient.member(cloud))
            let id = try await Self.volume(demo, admin)
            let body: JSON = ["os-migrate_volume": ["host": .string(Self.second)]]
            await demo.refused(.forbidden, .post, "/volumes/\(id)/action", body)
            await admin.act(id, "os-migrate_volume", ["host": .string(Self.second)])
            #expect(await admin.show(id)["migration_status"] == "starting")
            #expect(await demo.status(id) == "available")
            for (method, path, body) in [
                (.post, "/volumes/\(id)/action", ["os-attach": ["host_name": "h", "mountpoint": "/m"]]),
                (.post, "/volumes/\(id)/action", ["os-reserve": [:]]), (.delete, "/volumes/\(id)", nil),
                (.post, "/snapshots", ["snapshot": ["volume_id": .string(id)]]),
            ] as [(HTTPRequest.Method, String, JSON?)] {
                await demo.refused(.badRequest, method, path, body)
            }
            try await cloud.settle()
            let shown = await admin.show(id)
            #expect(shown["os-vol-host-attr:host"] == .string(Self.second) && shown["status"] == "available")
            #expect(shown["migration_status"] == "success" && shown["os-vol-mig-status-attr:migstat"] == "success")
            #expect(await demo.show(id)["migration_status"] == nil)
            // The new pool has the promise, and the volume can be used there.
            let pools = await admin.good(.get, "/scheduler-stats/get_pools?detail=true")["pools"]?.array ?? []
            let allocated = pools.map { $0["capabilities"]?["allocated_capacity_gb"] }
            #expect(allocated == [0, 1, 0, 0])
            _ = try await demo.snapshot(of: id)
        }
    }

    @Test("A locked volume is in maintenance while it moves")
    func locked() async throws {
        try await Self.run { cloud in
            let (admin, demo) = (try await VolumeClient(cloud), try await VolumeClient.member(cloud))
            let id = try await Self.volume(demo, admin)
            await admin.act(id, "os-migrate_volume", ["host": .string(Self.second), "lock_volume": true])
            #expect(await demo.status(id) == "maintenance")
            await demo.refused(.badRequest, .put, "/volumes/\(id)", ["volume": ["name": "x"]])
            try await cloud.settle()
            #expect(await demo.status(id) == "available")
        }
    }

    @Test("A move that fails leaves the volume where it was, and says so")
    func failure() async throws {
        try await Self.run { cloud in
            let (admin, demo) = (try await VolumeClient(cloud), try await VolumeClient.member(cloud))
            let id = try await Self.volume(demo, admin, ["metadata": ["simulate:fault": "copy-fails"]])
            await admin.act(id, "os-migrate_volume", ["host": .string(Self.second), "lock_volume": true])
            try await cloud.settleAll()
            let shown = await admin.show(id)
            #expect(shown["migration_status"] == "error" && shown["status"] == "available")
            #expect(shown["os-vol-host-attr:host"] == .string(Self.first))
            #expect(await demo.good(.get, "/messages")["messages"]?.array?.count == 1)
            await demo.act(id, "os-extend", ["new_size": 2])
            try await cloud.settle()
            #expect(await demo.status(id) == "available")
        }
    }

    @Test("A migration that cannot be is refused, as the reference refuses it")
    func refusals() async throws {
        try await Self.run { cloud in
            let (admin, demo) = (try await VolumeClient(cloud), try await VolumeClient.member(cloud))
            let id = try await Self.volume(demo, admin)
            for (wish, words) in [
                (["host": "host-1"], "No available service named 'host-1'"),
                (["host": "host-9@volumes"], "No available service named 'host-9@volumes'"),
                (["cluster": "c"], "No available service named 'c'"), ([:], "One and only one"),
                (["host": .string(Self.first)], "destination host/cluster must be different"),
                (["host": "host-2@volumes#volumes"], "on another host"),
            ] as [(JSON, String)] {
                let body: JSON = ["os-migrate_volume": wish]
                let message = await admin.refused(.badRequest, .post, "/volumes/\(id)/action", body)
                #expect(message.contains(words), "\(message)")
            }
            let body: JSON = ["os-migrate_volume": ["host": .string(Self.second)]]
            let snapshot = try await demo.snapshot(of: id)
            await admin.refused(.badRequest, .post, "/volumes/\(id)/action", body)
            await demo.good(.delete, "/snapshots/\(snapshot)")
            try await cloud.settle()
            await demo.act(id, "os-attach", ["host_name": "h", "mountpoint": "/mnt"])
            #expect(await admin.refused(.badRequest, .post, "/volumes/\(id)/action", body).contains("attached"))
        }
    }

    @Test("A retype moves the volume where that is allowed and needed")
    func retype() async throws {
        try await Self.run { cloud in
            let (admin, demo) = (try await VolumeClient(cloud), try await VolumeClient.member(cloud))
            _ = try await admin.type("other", ["volume_backend_name": "volumes-2"])
            _ = try await admin.type("nowhere", ["volume_backend_name": "elsewhere"])
            let id = try await Self.volume(demo, admin)
            func retype(_ type: String, _ policy: String) -> JSON {
                ["os-retype": ["new_type": .string(type), "migration_policy": .string(policy)]]
            }
            await demo.refused(.conflict, .post, "/volumes/\(id)/action", retype("other", "never"))
            await demo.refused(.conflict, .post, "/volumes/\(id)/action", retype("nowhere", "on-demand"))
            await demo.good(.post, "/volumes/\(id)/action", retype("other", "on-demand"))
            #expect(await demo.status(id) == "retyping")
            try await cloud.settle()
            let shown = await admin.show(id)
            #expect(shown["status"] == "available" && shown["volume_type"] == "other")
            #expect(shown["os-vol-host-attr:host"] == .string(Self.second) && shown["migration_status"] == "success")
        }
    }

    @Test("Completions that no migration and no growth here waits for are refused")
    func completions() async throws {
        try await Self.run { cloud in
            let (admin, demo) = (try await VolumeClient(cloud), try await VolumeClient.member(cloud))
            let (id, other) = (try await demo.volume(), try await demo.volume())
            let path = "/volumes/\(id)/action"
            let done: JSON = ["os-migrate_volume_completion": ["new_volume": .string(other)]]
            await demo.refused(.forbidden, .post, path, done)
            #expect(await admin.good(.post, path, done)["save_volume_id"] == .string(other))
            await admin.act(id, "os-reset_status", ["migration_status": "migrating"])
            #expect(await admin.refused(.badRequest, .post, path, done).contains("Destination volume not mid"))
            await admin.act(other, "os-reset_status", ["migration_status": "migrating"])
            #expect(await admin.refused(.badRequest, .post, path, done).contains("expected target:\(id)"))

            let grown: JSON = ["os-extend_volume_completion": [:]]
            await demo.refused(.forbidden, .post, path, grown)
            #expect(await admin.refused(.badRequest, .post, path, grown).contains("not being extended"))
            await demo.act(other, "os-extend", ["new_size": 2])
            #expect(
                await admin.refused(.badRequest, .post, "/volumes/\(other)/action", grown).contains("malformed"))
        }
    }
}
