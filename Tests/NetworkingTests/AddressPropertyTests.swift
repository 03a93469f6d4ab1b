import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Networking

/// What must hold of addresses whatever several clients do at once.
@Suite("Addresses under contention")
struct AddressPropertyTests {
    @Test("No two ports ever have one address, and none is lost", arguments: DatabaseKind.allCases)
    func contention(kind: DatabaseKind) async throws {
        try await TestCloud.run(on: kind, seed: 11) { cloud in
            let client = try await NetworkingClient(cloud)
            // 13 addresses, for more ports than that.
            let (network, subnet) = try await client.network(cidr: "10.1.0.0/28")
            let made = await withTaskGroup(of: [String].self) { group in
                for worker in 0..<5 {
                    group.addTask { await Self.work(client, network, worker) }
                }
                return await group.reduce(into: []) { $0 += $1 }
            }
            #expect(!made.isEmpty)
            try await Self.check(cloud, client, network, subnet)
        }
    }

    /// Makes and deletes ports, some with an address that others want too.
    private static func work(_ client: NetworkingClient, _ network: String, _ worker: Int) async -> [String] {
        var random = SplitMix64(seed: UInt64(100 + worker))
        var own: [String] = []
        var all: [String] = []
        for _ in 0..<12 {
            if own.count > 2 || (!own.isEmpty && Int.random(in: 0..<3, using: &random) == 0) {
                let id = own.remove(at: Int.random(in: 0..<own.count, using: &random))
                #expect(await client.send(.delete, "/ports/\(id)").status == .noContent)
                continue
            }
            var members: JSONObject = ["network_id": .string(network)]
            if Bool.random(using: &random) {
                members["fixed_ips"] = [["ip_address": .string("10.1.0.\(Int.random(in: 2...14, using: &random))")]]
            }
            let reply = await client.send(.post, "/ports", .object(["port": .object(members)]))
            guard reply.status == .created, let id = reply.json["port"]?["id"]?.string else {
                #expect(["IpAddressInUse", "IpAddressGenerationFailure", "Conflict"].contains(reply.type), "\(reply.text)")
                continue
            }
            own.append(id)
            all.append(id)
        }
        return all
    }

    private static func check(_ cloud: TestCloud, _ client: NetworkingClient, _ network: String, _ subnet: String) async throws {
        let ports = await client.list("ports", "network_id=\(network)")
        let addresses = ports.flatMap(\.addresses)
        #expect(Set(addresses).count == addresses.count)
        #expect(addresses.count == ports.count)
        #expect(!addresses.contains("10.1.0.1") && !addresses.contains("10.1.0.0") && !addresses.contains("10.1.0.15"))
        #expect(Set(ports.compactMap { $0["mac_address"]?.string }).count == ports.count)
        let rows: Int? = try await cloud.database.read { tx in
            try tx.value("SELECT count(*) FROM networking_ip_allocation WHERE subnet_id = ?", subnet)
        }
        #expect(rows == addresses.count)
    }

    @Test("The last address is found, and the one after it is refused", arguments: DatabaseKind.allCases)
    func exhaustion(kind: DatabaseKind) async throws {
        try await TestCloud.run(on: kind) { cloud in
            let client = try await NetworkingClient(cloud)
            let (network, _) = try await client.network(cidr: "10.2.0.0/27")
            let bulk = JSON.array((0..<29).map { _ in ["network_id": .string(network)] })
            let made = await client.send(.post, "/ports", ["ports": bulk])
            #expect(made.status == .created, "\(made.text)")
            let given = made.json["ports"]?.array?.flatMap(\.addresses) ?? []
            #expect(Set(given) == Set((2...30).map { "10.2.0.\($0)" }))
            let refused = await client.send(.post, "/ports", ["port": ["network_id": .string(network)]])
            #expect(refused.status == .conflict)
            #expect(refused.type == "IpAddressGenerationFailure")
            // A bulk is made whole or not at all.
            let id = made.json["ports"]?.array?.first?.id ?? ""
            #expect(await client.send(.delete, "/ports/\(id)").status == .noContent)
            let two = await client.send(.post, "/ports", ["ports": [["network_id": .string(network)], ["network_id": .string(network)]]])
            #expect(two.status == .conflict)
            #expect(await client.list("ports", "network_id=\(network)").count == 28)
        }
    }

    @Test("A subnet of any size costs the same number of statements", arguments: ["10.0.0.0/8", "2001:db8::/64", "192.168.3.0/24"])
    func size(cidr: String) async throws {
        try await TestCloud.run { cloud in
            let client = try await NetworkingClient(cloud)
            let (network, subnet) = try await client.network(cidr: cidr)
            let port = try await client.port(network)
            let prefix = try #require(IPPrefix(cidr))
            #expect(port.addresses.count == 1)
            #expect(port.addresses.allSatisfy { IPAddress($0).map(prefix.contains) ?? false })
            #expect(port["fixed_ips"]?.array?.first?["subnet_id"] == .string(subnet))
        }
    }
}
