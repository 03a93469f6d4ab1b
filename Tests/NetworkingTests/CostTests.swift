import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

/// The costs of requests, counted in statements, since seconds depend on the machine.
@Suite("Costs of requests")
struct CostTests {
    @Test("Requests for a port cost a few statements, and listing many ports costs as many as listing one")
    func ports() async throws {
        try await TestCloud.run { cloud in
            let client = try await NetworkingClient.member(cloud)
            let (network, _) = try await client.network()
            func cost(_ body: () async throws -> Void) async rethrows -> (transactions: Int, statements: Int) {
                let before = (cloud.database.transactions, cloud.database.statements)
                try await body()
                return (cloud.database.transactions - before.0, cloud.database.statements - before.1)
            }
            let first = try await client.port(network).id
            var made = ""
            let create = try await cost { made = try await client.port(network).id }
            let show = await cost { _ = await client.send(.get, "/ports/\(first)") }
            let list = await cost { _ = await client.list("ports", "network_id=\(network)") }
            let delete = await cost { _ = await client.send(.delete, "/ports/\(made)") }
            for _ in 0..<20 { _ = try await client.port(network) }
            let longList = await cost { _ = await client.list("ports", "network_id=\(network)") }
            #expect(create.transactions == 1 && create.statements <= 18, "create: \(create)")
            #expect(show.transactions == 1 && show.statements <= 5, "show: \(show)")
            #expect(list.transactions == 1 && list.statements <= 5, "list: \(list)")
            #expect(longList == list, "a long list: \(longList)")
            #expect(delete.transactions == 1 && delete.statements <= 10, "delete: \(delete)")
        }
    }
}
