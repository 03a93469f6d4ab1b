import CloudCore
import ControlPlane
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Compute

/// The cost of choosing a host, counted and not timed.
@Suite("The cost of choosing a host")
struct ChoiceCostTests {
    /// The cost of a request and of the workflow that it begins.
    private struct Cost: Equatable {
        var statements: Int
        /// The steps of SQLite's machine: a scan takes some for each row.
        var steps: Int
        var visitedHosts: Int
    }

    private static func measure(_ client: ComputeClient, _ body: () async throws -> Void) async throws -> Cost {
        let (database, hosts) = (client.cloud.database, client.cloud.cloud.compute.context.hosts)
        let before = Cost(statements: database.statements, steps: database.steps, visitedHosts: hosts.visited)
        try await body()
        return Cost(
            statements: database.statements - before.statements, steps: database.steps - before.steps,
            visitedHosts: hosts.visited - before.visitedHosts)
    }

    /// Measures a cloud whose hosts have two servers each. The other servers are on no host.
    private static func costs(hosts: Int, servers: Int) async throws -> (create: Cost, migrate: Cost) {
        var costs: [Cost] = []
        try await ServerTests.run(hosts: hosts) { client, image in
            let world = client.cloud.world
            try await client.cloud.database.write { tx in
                // The ids are not drawn, so that the ids of the measured servers are the same in both clouds.
                for number in 0..<servers {
                    var server = Server(
                        id: ID("00000000-0000-4000-8000-\(100_000_000_000 + number)"), number: number,
                        projectID: "others", userID: "u", name: "other", hostname: "other",
                        flavor: ServerStage.flavor(), reservationID: "r", createdAt: world.now, updatedAt: world.now)
                    server.state = .active
                    server.host = number < 2 * hosts ? "host-\(number / 2 + 1)" : nil
                    try ServerStore().insert(server, in: tx)
                }
            }
            // A reader of the log of changes looks back over some commits that it knows, so both logs have many.
            for _ in 0..<100 {
                try await client.cloud.database.write { tx in
                    tx.changed(Topic("placement"), ["nobody"])
                    tx.changed(.hosts, ["nobody"])
                }
            }
            // The first servers bring everything that is made once, such as prepared hosts.
            for _ in 0..<3 { try await ServerTests.boot(client, image) }
            let id = Box("")
            costs.append(try await measure(client) { id.value = try await ServerTests.boot(client, image) })
            costs.append(
                try await measure(client) {
                    await client.good(.post, "/servers/\(id.value)/action", ["migrate": .null])
                    try await ServerTests.settle(client)
                })
            #expect(await client.good(.get, "/servers/\(id.value)")["server"]?["status"]?.string == "VERIFY_RESIZE")
        }
        return (costs[0], costs[1])
    }

    @Test(
        "Making and moving a server cost the same with 12 hosts and 100 servers, and with 1,000 hosts and 2,000 servers"
    )
    func size() async throws {
        let small = try await Self.costs(hosts: 12, servers: 100)
        let large = try await Self.costs(hosts: 1000, servers: 2000)
        #expect(small.create == large.create)
        #expect(small.migrate == large.migrate)
        #expect(large.create.visitedHosts == HostSearch.compared)
        #expect(large.create.statements > 0 && large.create.steps > 0)
    }
}
