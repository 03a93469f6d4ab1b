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
        try await NetworkingClient.runAsMember { cloud, client in
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

    @Test("ossa_2014_025 A port with lists as long as they may be costs as many statements as one without")
    func fullPorts() async throws {
        try await NetworkingClient.runAsMember { cloud, client in
            let (network, _) = try await client.network()
            let (bare, full) = (try await client.port(network).id, try await client.port(network).id)
            let limits = Limits.thing
            let pairs = JSON.array((1...limits.addressPairs.most).map { ["ip_address": .string("10.9.0.\($0)")] })
            let options = JSON.array(
                (1...limits.dhcpOptions.most).map { ["opt_name": .string("option-\($0)"), "opt_value": "x"] })
            let tags = JSON.array((1...limits.tags.most).map { .string("tag\($0)") })
            func cost(_ body: () async -> HTTPResponse.Status) async -> (statements: Int, steps: Int) {
                let before = (cloud.database.statements, cloud.database.steps)
                #expect(await body() == .ok)
                return (cloud.database.statements - before.0, cloud.database.steps - before.1)
            }
            let few = await cost { await client.change("port", bare, ["name": "a"]).status }
            _ = await client.change("port", full, ["allowed_address_pairs": pairs, "extra_dhcp_opts": options])
            #expect(await client.send(.put, "/ports/\(full)/tags", ["tags": tags]).status == .ok)
            let many = await cost { await client.change("port", full, ["name": "a"]).status }
            #expect(many.statements == few.statements, "\(few), \(many)")
            let items = limits.addressPairs.most + limits.dhcpOptions.most + limits.tags.most
            #expect(many.steps <= few.steps + 100 * items, "\(few), \(many)")
            let one = await cost { await client.send(.get, "/ports/\(bare)").status }
            let other = await cost { await client.send(.get, "/ports/\(full)").status }
            #expect(one.statements == other.statements && other.steps <= one.steps + 40 * items, "\(one), \(other)")
            let answer = await client.send(.get, "/ports/\(full)")
            #expect(answer.bytes.count < 16 << 10, "\(answer.bytes.count)")
        }
    }
}
