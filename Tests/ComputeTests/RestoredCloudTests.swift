import CloudCore
@testable import Compute
import ControlPlane
import HostModel
import HTTPTypes
import SQL
import TestSupport
import Testing

/// A restored backup: the database is older than what hosts have seen.
@Suite("Servers of a restored cloud")
struct RestoredCloudTests {
    private func network(_ client: ComputeClient) async throws -> String {
        let made = await client.cloud.send(.post, "/network/v2.0/networks", token: client.token, json: ["network": ["name": "n"]])
        let id = try #require(made.json["network"]?["id"]?.string)
        let subnet: JSON = ["network_id": .string(id), "ip_version": 4, "cidr": "10.0.0.0/24"]
        _ = await client.cloud.send(.post, "/network/v2.0/subnets", token: client.token, json: ["subnet": subnet])
        return id
    }

    /// Sends an action and returns its outcome: the status shown by the API, and the power of the machine.
    private func act(_ client: ComputeClient, _ id: String, _ action: String) async throws -> (status: String?, power: String?) {
        #expect(await client.send(.post, "/servers/\(id)/action", .object([action: nil])).status == .accepted)
        try await client.cloud.settleAll()
        let status = await client.good(.get, "/servers/\(id)")["server"]?["status"]?.string
        return (status, client.cloud.cloud.fleet.simulatedMachines.first { $0.id == id }?.power)
    }

    @Test("Hosts that have seen newer changes obey a restored database at once")
    func era() async throws {
        try await ServerTests.run { client, image in
            let network: JSON = [["uuid": .string(try await network(client))]]
            let id = try await ServerTests.boot(client, image, ["networks": network])
            // The backup: the server's row, and the number of Networking's commits so far.
            let (old, commits) = try await client.cloud.database.read { tx in
                let commits: Int64? = try tx.value("SELECT max(number) FROM sql_change WHERE topic = 'networking'")
                return (try ServerStore().find(ID(id), in: tx), commits ?? 0)
            }
            for _ in 1...4 {
                #expect(try await act(client, id, "os-stop") == ("SHUTOFF", "off"))
                #expect(try await act(client, id, "os-start") == ("ACTIVE", "running"))
            }
            _ = try await ServerTests.boot(client, image, ["networks": network])
            // The backup is restored.
            try await client.cloud.database.write { tx in
                try ServerStore().update(try #require(old), in: tx)
                try tx.execute("DELETE FROM sql_change WHERE topic = 'networking' AND number > ?", commits)
            }
            let naive = ComputeClient(cloud: try await client.cloud.restarted(seed: 3), token: client.token)
            #expect(try await act(naive, id, "os-stop").power == "running", "a host refuses what it takes for old")
            try await naive.cloud.database.write { tx in
                try tx.execute(
                    "INSERT INTO cloud_restore (restored_at, made_at, version) VALUES (?, ?, ?)", naive.cloud.world.now, 1, "0.1.0")
            }
            let restored = ComputeClient(cloud: try await naive.cloud.restarted(seed: 4), token: client.token)
            #expect(try await act(restored, id, "os-stop") == ("SHUTOFF", "off"))
            #expect(try await act(restored, id, "os-start") == ("ACTIVE", "running"))
            let next = try await ServerTests.boot(restored, image, ["networks": network])
            #expect(await restored.good(.get, "/servers/\(next)")["server"]?["status"] == "ACTIVE")
            #expect(await restored.send(.delete, "/servers/\(id)").status == .noContent)
            try await restored.cloud.settleAll()
            #expect(!restored.cloud.cloud.fleet.simulatedMachines.contains { $0.id == id })
        }
    }

    @Test("A rebuild makes the machine that the server's host does not know")
    func rebuild() async throws {
        try await ServerTests.run(hosts: 1) { client, image in
            let id = try await ServerTests.boot(client, image)
            let fleet = client.cloud.cloud.fleet
            let (found, epoch) = try await client.cloud.database.read { tx in
                (try ServerStore().find(ID(id), in: tx), try tx.value("SELECT max(epoch) FROM workflow") as Int64?)
            }
            let server = try #require(found)
            let fence = Fence(epoch: try #require(epoch), generation: server.generation)
            let machines = MachinesForCompute(fleet: fleet)
            try await machines.remove(ID(id), on: try #require(server.host), fence: fence)
            #expect(!fleet.simulatedMachines.contains { $0.id == id })
            await client.good(.post, "/servers/\(id)/action", ["rebuild": ["imageRef": .string(image)]])
            try await client.cloud.settleAll()
            #expect(await client.good(.get, "/servers/\(id)")["server"]?["status"] == "ACTIVE")
            #expect(fleet.simulatedMachines.first { $0.id == id }?.power == "running")
        }
    }
}
