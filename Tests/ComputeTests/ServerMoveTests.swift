import CloudCore
@testable import Compute
import ControlPlane
import HTTPTypes
import SQL
import TestSupport
import Testing

@Suite("Servers on other hosts, rescued and shelved")
struct ServerMoveTests {
    /// One server, and the actions on it.
    private struct Subject {
        let client: ComputeClient
        let id: String

        func shown() async -> JSON { await client.good(.get, "/servers/\(id)")["server"] ?? .null }
        func status() async -> String { await shown()["status"]?.string ?? "" }
        func host() async -> String? { await shown()["OS-EXT-SRV-ATTR:host"]?.string }
        func other() async -> String { await host() == "host-1" ? "host-2" : "host-1" }

        func act(_ action: JSON, minor: Int? = nil, location: SourceLocation = #_sourceLocation) async throws {
            await client.good(.post, "/servers/\(id)/action", action, minor: minor, location: location)
            try await ServerTests.settle(client)
        }

        @discardableResult
        func refused(
            _ status: HTTPResponse.Status, _ action: JSON, minor: Int? = nil, location: SourceLocation = #_sourceLocation
        ) async -> String {
            await client.refused(status, .post, "/servers/\(id)/action", action, minor: minor, location: location)
        }

        /// The hosts that have a machine, each with its power state.
        var machines: [String] { client.cloud.cloud.fleet.simulatedMachines.map { "\($0.host) \($0.power)" } }

        func migration() async -> JSON { await client.good(.get, "/os-migrations?instance_uuid=\(id)")["migrations"]?.array?.first ?? .null }

        /// Returns the vCPUs that the allocations of the server take, by host.
        func claims() async throws -> [String: Int64] {
            try await client.cloud.database.read { tx in
                let rows = try tx.rows(
                    "SELECT p.name, sum(a.used) FROM placement_allocation a JOIN placement_provider p ON p.id = a.provider_id WHERE a.resource_class = 'VCPU' GROUP BY p.name")
                return Dictionary(uniqueKeysWithValues: try rows.map { (try $0.value(at: 0), try $0.value(at: 1)) })
            }
        }
    }

    private static func run(hosts: Int = 2, _ body: (Subject, _ image: String) async throws -> Void) async throws {
        try await ServerTests.run(hosts: hosts) { client, image in
            try await body(Subject(client: client, id: try await ServerTests.boot(client, image)), image)
        }
    }

    @Test("A migrated server runs on another host, and the migration can be confirmed or reverted")
    func migrate() async throws {
        try await Self.run { one, _ in
            let (first, second) = (await one.host() ?? "", await one.other())
            #expect(await one.refused(.badRequest, ["migrate": ["host": .string(first)]]) == "Cannot migrate to the host where the server exists.")
            await one.refused(.badRequest, ["migrate": ["host": "nowhere"]])
            try await one.act(["migrate": nil])
            #expect(await one.status() == "VERIFY_RESIZE")
            #expect(await one.host() == second)
            #expect(one.machines.sorted() == ["\(first) off", "\(second) running"].sorted())
            #expect(try await one.claims() == [first: 1, second: 1])
            let migration = await one.migration()
            #expect(migration["migration_type"] == "migration" && migration["status"] == "finished")
            #expect(migration["source_compute"]?.string == first && migration["dest_compute"]?.string == second)
            try await one.act(["revertResize": nil])
            #expect(await one.status() == "ACTIVE")
            #expect(one.machines == ["\(first) running"])
            #expect(try await one.claims() == [first: 1])
            try await one.act(["migrate": ["host": .string(second)]])
            try await one.act(["confirmResize": nil])
            #expect(await one.status() == "ACTIVE")
            #expect(one.machines == ["\(second) running"])
            #expect(try await one.claims() == [second: 1])
            #expect(await one.migration()["status"] == "confirmed")
        }
    }

    @Test("A migration without another host fails with the reason and leaves the server unchanged")
    func noOtherHost() async throws {
        try await Self.run(hosts: 1) { one, _ in
            for action: JSON in [["migrate": nil], ["os-migrateLive": ["host": nil, "block_migration": "auto"]]] {
                one.client.cloud.clock.advance(by: .seconds(1))
                try await one.act(action)
                #expect(await one.status() == "ACTIVE")
                #expect(one.machines == ["host-1 running"])
                #expect(await one.migration()["status"] == "error")
                let request = await one.client.good(.get, "/servers/\(one.id)/os-instance-actions")["instanceActions"]?.array?.first?["request_id"]
                let shown = await one.client.good(.get, "/servers/\(one.id)/os-instance-actions/\(request?.string ?? "")")["instanceAction"]
                #expect(shown?["events"]?.array?.first?["details"]?.string?.hasPrefix("No valid host was found.") == true, "\(shown?.text ?? "")")
                #expect(try await one.claims() == ["host-1": 1])
            }
        }
    }

    @Test("Deleting a server in the middle of a migration leaves nothing on either host")
    func deleted() async throws {
        try await Self.run { one, _ in
            try await one.act(["migrate": nil])
            #expect(await one.client.send(.delete, "/servers/\(one.id)").status == .noContent)
            try await ServerTests.settle(one.client)
            #expect(one.machines == [])
            #expect(try await one.claims() == [:])
        }
    }

    @Test("A live migration does not stop the guest, and a waiting one can be cancelled")
    func live() async throws {
        try await Self.run { one, _ in
            let (first, second) = (await one.host() ?? "", await one.other())
            let move: JSON = ["os-migrateLive": ["host": nil, "block_migration": "auto"]]
            await one.refused(.badRequest, ["os-migrateLive": ["host": "nowhere", "block_migration": "auto"]])
            await one.refused(.badRequest, ["os-migrateLive": ["host": .string(first), "block_migration": "auto"]])
            await one.refused(.badRequest, ["os-migrateLive": ["host": nil, "block_migration": "auto"]], minor: 24)
            await one.refused(.badRequest, ["os-migrateLive": ["host": nil, "block_migration": "auto", "force": true]], minor: 30)
            try await one.act(move)
            #expect(await one.status() == "ACTIVE")
            #expect(await one.host() == second)
            #expect(one.machines == ["\(second) running"])
            #expect(one.client.cloud.cloud.fleet.simulatedMachines[0].boots == 1)
            #expect(await one.migration()["status"] == "completed")
            try await one.act(["pause": nil])
            one.client.cloud.cloud.fleet.setCut(true, first)
            try await one.act(move)
            #expect(await one.status() == "MIGRATING")
            let path = "/servers/\(one.id)/migrations"
            let list = await one.client.good(.get, path)["migrations"]?.array ?? []
            let number = list.first?["id"]?.text ?? ""
            #expect(list.count == 1 && list[0]["source_compute"]?.string == second && list[0]["status"] == "running")
            #expect(await one.client.good(.get, "\(path)/\(number)")["migration"]?["server_uuid"]?.string == one.id)
            await one.client.good(.delete, "\(path)/\(number)")
            one.client.cloud.cloud.fleet.setCut(false, first)
            try await ServerTests.settle(one.client)
            #expect(one.machines == ["\(second) paused"])
            #expect(await one.migration()["status"] == "cancelled")
            #expect(await one.client.good(.get, path)["migrations"]?.array?.isEmpty == true)
        }
    }

    @Test("A rescued server boots from the rescue image with its own disk second; unrescue reverses that")
    func rescue() async throws {
        try await Self.run { one, image in
            await one.refused(.badRequest, ["rescue": ["rescue_image_ref": "00000000-0000-4000-8000-00000000dead"]])
            let reply = await one.client.good(.post, "/servers/\(one.id)/action", ["rescue": ["rescue_image_ref": .string(image)]])
            #expect(reply["adminPass"]?.string?.count == 12)
            #expect(await one.shown()["OS-EXT-STS:task_state"] == "rescuing")
            try await ServerTests.settle(one.client)
            #expect(await one.status() == "RESCUE")
            let disks = one.client.cloud.cloud.fleet.simulatedMachines[0].disks
            #expect(disks.count == 2 && disks[0].hasPrefix("rescue ") && disks[1].hasPrefix("root "))
            await one.refused(.conflict, ["pause": nil])
            await one.refused(.conflict, ["rescue": nil])
            try await one.act(["unrescue": nil])
            #expect(await one.status() == "ACTIVE")
            #expect(one.client.cloud.cloud.fleet.simulatedMachines[0].disks == [disks[1]])
            await one.refused(.conflict, ["unrescue": nil])
        }
    }

    @Test("A shelved server has an image instead of a host, and unshelve brings it back")
    func shelve() async throws {
        try await Self.run { one, _ in
            await one.refused(.conflict, ["unshelve": nil])
            try await one.act(["shelve": nil])
            let shown = await one.shown()
            #expect(shown["status"] == "SHELVED_OFFLOADED")
            #expect(shown["OS-EXT-SRV-ATTR:host"] == .null)
            #expect(one.machines == [])
            #expect(try await one.claims() == [:])
            await one.refused(.conflict, ["shelveOffload": nil])
            let list = await one.client.cloud.send(.get, "/image/v2/images?name=one-shelved", token: one.client.token).json["images"]?.array ?? []
            #expect(list.count == 1 && list[0]["status"] == "active")
            await one.refused(.badRequest, ["unshelve": ["availability_zone": "nowhere"]])
            await one.refused(.badRequest, ["unshelve": ["host": "nowhere"]])
            await one.refused(.badRequest, ["unshelve": [:]], minor: 77)
            try await one.act(["unshelve": ["host": "host-2", "availability_zone": "nova"]])
            #expect(await one.status() == "ACTIVE")
            #expect(await one.shown()["pinned_availability_zone"] == "nova")
            #expect(one.machines == ["host-2 running"])
            let left = await one.client.cloud.send(.get, "/image/v2/images?name=one-shelved", token: one.client.token).json["images"]?.array
            #expect(left?.isEmpty == true)
            try await one.act(["shelve": nil])
            #expect(await one.client.send(.delete, "/servers/\(one.id)").status == .noContent)
            try await ServerTests.settle(one.client)
            let none = await one.client.cloud.send(.get, "/image/v2/images?name=one-shelved", token: one.client.token).json["images"]?.array
            #expect(none?.isEmpty == true)
        }
    }

    @Test("A server is evacuated from a lost host, and that host removes its old machine when it returns")
    func evacuate() async throws {
        try await Self.run { one, _ in
            let (first, second) = (await one.host() ?? "", await one.other())
            one.client.cloud.clock.advance(by: .seconds(1))
            #expect(await one.refused(.badRequest, ["evacuate": [:]]).hasSuffix("is still in use."))
            let fleet = one.client.cloud.cloud.fleet
            fleet.setCut(true, first)
            let services = await one.client.good(.get, "/os-services")["services"]?.array ?? []
            let service = services.first { $0["host"]?.string == first }?["id"]?.string ?? ""
            await one.client.good(.put, "/os-services/\(service)", ["forced_down": true])
            await one.refused(.badRequest, ["evacuate": ["host": .string(first)]])
            await one.refused(.notFound, ["evacuate": ["host": "nowhere"]])
            await one.refused(.badRequest, ["evacuate": ["onSharedStorage": true]], minor: 13)
            try await one.act(["evacuate": [:]], minor: 94)
            #expect(await one.status() == "ACTIVE")
            #expect(await one.host() == second)
            #expect(try await one.claims() == [first: 1, second: 1])
            await one.client.good(.put, "/os-services/\(service)", ["forced_down": false])
            fleet.setCut(false, first)
            try await one.client.cloud.cloud.look()
            try await ServerTests.settle(one.client)
            #expect(one.machines == ["\(second) running"])
            #expect(try await one.claims() == [second: 1])
            #expect(await one.migration()["status"] == "completed")
            let actions = await one.client.good(.get, "/servers/\(one.id)/os-instance-actions")["instanceActions"]?.array ?? []
            #expect(actions.map { $0["action"]?.string } == ["evacuate", "create"])
        }
    }
}
