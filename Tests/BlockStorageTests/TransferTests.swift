@testable import BlockStorage
import CloudCore
import HTTPTypes
import SQL
import TestSupport
import Testing

@Suite("Transfers of volumes")
struct TransferTests {
    private static func offer(_ volume: String, _ more: JSONObject = [:]) -> JSON {
        var wish: JSONObject = ["volume_id": .string(volume), "name": "t"]
        for (name, value) in more.members { wish[name] = value }
        return ["transfer": .object(wish)]
    }

    private static func key(_ key: JSON) -> JSON { ["accept": ["auth_key": key]] }

    /// Makes a transfer; returns its id and its key.
    private static func make(
        _ client: VolumeClient, _ volume: String, _ more: JSONObject = [:]
    ) async throws -> (id: String, key: JSON) {
        let made = await client.good(.post, "/volume-transfers", offer(volume, more))["transfer"]
        return (try #require(made?["id"]?.string), try #require(made?["auth_key"]))
    }

    private static func used(_ client: VolumeClient, _ project: String, _ resource: String) async -> Int64? {
        let quotas = await client.good(.get, "/os-quota-sets/\(project)?usage=true")["quota_set"]
        return quotas?[resource]?["in_use"]?.integer
    }

    @Test(
        "Whoever has the key gets the volume with its snapshots, and the usage moves along",
        arguments: DatabaseKind.allCases)
    func life(_ kind: DatabaseKind) async throws {
        try await VolumeClient.run(on: kind) { _, admin, demo in
            let volume = try await demo.volume(["size": 2])
            let snapshot = try await demo.snapshot(of: volume)
            let giver = try #require(await demo.show(volume)["os-vol-tenant-attr:tenant_id"]?.string)
            let (id, key) = try await Self.make(demo, volume)
            #expect(await demo.status(volume) == "awaiting-transfer")
            await demo.refused(.badRequest, .post, "/volume-transfers", Self.offer(volume))
            await demo.refused(.badRequest, .delete, "/volumes/\(volume)")
            let shown = await demo.good(.get, "/volume-transfers/\(id)")["transfer"]
            #expect(shown?["volume_id"] == .string(volume) && shown?["no_snapshots"] == false)
            #expect(shown?["source_project_id"] == .string(giver) && shown?["accepted"] == false)
            #expect(shown?["auth_key"] == nil)
            #expect(
                await admin.refused(.badRequest, .post, "/volume-transfers/\(id)/accept", Self.key("no"))
                    == "Invalid auth key: Attempt to transfer \(id) with invalid auth key.")
            let accepted = await admin.good(.post, "/volume-transfers/\(id)/accept", Self.key(key))["transfer"]
            #expect(accepted?["volume_id"] == .string(volume))
            #expect(await admin.status(volume) == "available")
            await demo.refused(.notFound, .get, "/volumes/\(volume)")
            await demo.refused(.notFound, .get, "/snapshots/\(snapshot)")
            let taker = try #require(await admin.show(volume)["os-vol-tenant-attr:tenant_id"]?.string)
            #expect(taker != giver)
            for (project, volumes, gigabytes) in [(giver, Int64(0), Int64(0)), (taker, 1, 4)] {
                #expect(await Self.used(admin, project, "volumes") == volumes)
                #expect(await Self.used(admin, project, "snapshots") == volumes)
                #expect(await Self.used(admin, project, "gigabytes") == gigabytes)
                #expect(await Self.used(admin, project, "gigabytes___DEFAULT__") == gigabytes)
            }
            await admin.refused(.notFound, .get, "/volume-transfers/\(id)")
            await admin.refused(.notFound, .post, "/volume-transfers/\(id)/accept", Self.key(key))
        }
    }

    @Test("The snapshots stay if that is asked for, from 3.55 on and at the newer URL")
    func snapshots() async throws {
        try await VolumeClient.run { _, admin, demo in
            let volume = try await demo.volume()
            let snapshot = try await demo.snapshot(of: volume)
            let body = Self.offer(volume, ["no_snapshots": true])
            await demo.refused(.badRequest, .post, "/volume-transfers", body, minor: 54)
            await demo.refused(.badRequest, .post, "/os-volume-transfer", body)
            let (id, key) = try await Self.make(demo, volume, ["no_snapshots": true])
            await admin.good(.post, "/volume-transfers/\(id)/accept", Self.key(key))
            await demo.good(.get, "/snapshots/\(snapshot)")
            await demo.refused(.notFound, .get, "/volumes/\(volume)")
            let message = await admin.refused(.badRequest, .delete, "/volumes/\(volume)")
            #expect(message.contains("disassociated from snapshots"))
        }
    }

    @Test("An offer is taken back, and the volume is available again")
    func delete() async throws {
        try await VolumeClient.run { _, admin, demo in
            let volume = try await demo.volume()
            let made = await demo.good(.post, "/os-volume-transfer", Self.offer(volume), minor: 0)["transfer"]
            let id = try #require(made?["id"]?.string)
            #expect(made?["no_snapshots"] == nil)
            await demo.good(.delete, "/os-volume-transfer/\(id)", minor: 0)
            #expect(await demo.status(volume) == "available")
            let key = Self.key(made?["auth_key"] ?? .null)
            await admin.refused(.notFound, .post, "/os-volume-transfer/\(id)/accept", key)
        }
    }

    @Test("A transfer is refused that the taker's quota has no room for, and the volume still waits")
    func quota() async throws {
        try await VolumeClient.run { _, admin, demo in
            let own = await admin.show(try await admin.volume())
            let project = try #require(own["os-vol-tenant-attr:tenant_id"]?.string)
            let volume = try await demo.volume()
            _ = try await demo.snapshot(of: volume)
            let (id, key) = try await Self.make(demo, volume)
            for limits: JSON in [["volumes": 1], ["volumes": 10, "snapshots": 0], ["snapshots": 10, "gigabytes": 2]] {
                await admin.good(.put, "/os-quota-sets/\(project)", ["quota_set": limits])
                await admin.refused(.contentTooLarge, .post, "/volume-transfers/\(id)/accept", Self.key(key))
                #expect(await demo.status(volume) == "awaiting-transfer")
            }
            await admin.good(.put, "/os-quota-sets/\(project)", ["quota_set": ["gigabytes": 3]])
            await admin.good(.post, "/volume-transfers/\(id)/accept", Self.key(key))
        }
    }

    @Test("Transfers are listed by project, with filters, and in pages from 3.59 on")
    func lists() async throws {
        try await VolumeClient.run { cloud, admin, demo in
            for name in ["a", "b", "c"] {
                cloud.clock.advance(by: .seconds(1))
                _ = try await Self.make(demo, try await demo.volume(), ["name": .string(name)])
            }
            let list = "transfers"
            #expect(await demo.names("/volume-transfers", list) == ["c", "b", "a"])
            #expect(await demo.names("/os-volume-transfer", list) == ["a", "b", "c"])
            #expect(await demo.names("/volume-transfers/detail?name=b", list) == ["b"])
            let page = await demo.good(.get, "/volume-transfers?limit=2&sort=created_at:asc")
            #expect(page["transfers_links"]?.array?.count == 1)
            let last = try #require(page[list]?.array?.last?["id"]?.string)
            #expect(await demo.names("/volume-transfers?marker=\(last)&sort=created_at:asc", list) == ["c"])
            #expect(await admin.names("/volume-transfers", list) == [])
            #expect(await admin.names("/volume-transfers?all_tenants=1", list).count == 3)
            #expect(await demo.names("/volume-transfers?color=red", list) == [])
        }
    }

    @Test("A volume whose offers were forgotten by a reset is given away once, and an older key opens nothing then")
    func older() async throws {
        try await VolumeClient.run { _, admin, demo in
            let volume = try await demo.volume()
            let first = try await Self.make(demo, volume)
            await admin.act(volume, "os-reset_status", ["status": "available"])
            let second = try await Self.make(demo, volume)
            await admin.good(.post, "/volume-transfers/\(second.id)/accept", Self.key(second.key))
            await demo.refused(.notFound, .post, "/volume-transfers/\(first.id)/accept", Self.key(first.key))
        }
    }

    @Test("The key of a transfer is in no row: its hash and its salt are")
    func hash() async throws {
        try await VolumeClient.runAsMember { cloud, demo in
            let (id, key) = try await Self.make(demo, try await demo.volume())
            let rows = try await cloud.database.read { tx in
                try tx.rows("SELECT salt, key_hash FROM volume_transfer WHERE id = ?", id).map {
                    TransferKey.Lock(salt: try $0.value(at: 0), hash: try $0.value(at: 1))
                }
            }
            let lock = try #require(rows.first)
            let text = try #require(key.string)
            #expect(text.count == 16 && lock.hash.count == 64 && !lock.hash.contains(text) && lock.salt != text)
            #expect(lock.isOpened(by: text) && !lock.isOpened(by: text + "0"))
        }
    }
}
