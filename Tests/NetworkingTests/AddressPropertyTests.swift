import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import HostModel
import Resources
import SQL
import TestSupport
import Testing

@testable import Networking

/// Properties of addresses that hold whatever several clients do at once.
@Suite("Addresses under contention")
struct AddressPropertyTests {
    @Test("No two ports ever have the same address, and no address is lost", arguments: DatabaseKind.allCases)
    func contention(kind: DatabaseKind) async throws {
        try await TestCloud.run(on: kind, seed: 11) { cloud in
            let client = try await NetworkingClient(cloud)
            // The subnet has 13 addresses, fewer than the ports that are requested.
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

    @Test("Servers, API calls and the cloud's own ports never share an address, even if they allocate concurrently", arguments: DatabaseKind.allCases)
    func servers(kind: DatabaseKind) async throws {
        try await TestCloud.run(on: kind, seed: 13) { cloud in
            let stage = try await ServerPortTests.Stage(cloud)
            // The subnet has 29 addresses without the gateway.
            let (network, subnet) = try await stage.member.network(cidr: "10.1.0.0/27")
            await withTaskGroup(of: Void.self) { group in
                for worker in 0..<6 {
                    group.addTask {
                        if worker < 3 { await Self.serve(stage, network, worker) } else { _ = await Self.work(stage.member, network, worker) }
                    }
                }
            }
            let ports = await stage.member.list("ports", "network_id=\(network)")
            let addresses = ports.flatMap(\.addresses)
            #expect(Set(addresses).count == addresses.count)
            #expect(ports.allSatisfy { $0.addresses.count == 1 })
            let rows: Int? = try await cloud.database.read { tx in
                try tx.value("SELECT count(*) FROM networking_ip_allocation WHERE subnet_id = ?", subnet)
            }
            #expect(rows == addresses.count)
            // Each host with guests has one port of the cloud's own, and other hosts have none.
            let hosts = try await cloud.database.read { tx in
                try tx.rows("SELECT DISTINCT host FROM networking_port WHERE substr(device_owner, 1, 8) = 'compute:' ORDER BY host")
                    .map { try $0.value(at: 0) as String }
            }
            let own: [String] = try await cloud.database.read { tx in
                try tx.rows("SELECT host FROM networking_port WHERE device_owner = 'network:dhcp' ORDER BY host").map { try $0.value(at: 0) }
            }
            #expect(own.allSatisfy { hosts.contains($0) } && Set(own).count == own.count)
        }
    }

    /// Makes and deletes ports of servers on two hosts.
    private static func serve(_ stage: ServerPortTests.Stage, _ network: String, _ worker: Int) async {
        var random = SplitMix64(seed: UInt64(500 + worker))
        var servers: [ID<Kind.Server>] = []
        for number in 0..<10 {
            if !servers.isEmpty, Int.random(in: 0..<3, using: &random) == 0 {
                let server = servers.remove(at: Int.random(in: 0..<servers.count, using: &random))
                do { try await stage.release(server) } catch { Issue.record("\(error)") }
                continue
            }
            let server: ID<Kind.Server> = "server-\(worker)-\(number)"
            do {
                let plan = try await stage.plan(.listed([.init(network: ID(network))]))
                // Like a workflow's step, the call is repeated if another caller took the free address first.
                for _ in 0..<10 {
                    do {
                        try await stage.ensure(plan, server: server, host: "host-\(Int.random(in: 1...2, using: &random))")
                        servers.append(server)
                        break
                    } catch SQLError.uniqueViolation { continue }
                }
            } catch let error as CloudError where error.code == "IpAddressGenerationFailure" {
                continue
            } catch { Issue.record("\(error)") }
        }
    }

    /// Makes and deletes ports, some of them with an address that others want too.
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

    @Test("The last free address is allocated, and a further port is refused", arguments: DatabaseKind.allCases)
    func exhaustion(kind: DatabaseKind) async throws {
        try await NetworkingClient.runAsAdmin(on: kind) { _, client in
            let (network, _) = try await client.network(cidr: "10.2.0.0/27")
            let bulk = JSON.array((0..<29).map { _ in ["network_id": .string(network)] })
            let made = await client.send(.post, "/ports", ["ports": bulk])
            #expect(made.status == .created, "\(made.text)")
            let given = made.json["ports"]?.array?.flatMap(\.addresses) ?? []
            #expect(Set(given) == Set((2...30).map { "10.2.0.\($0)" }))
            let refused = await client.send(.post, "/ports", ["port": ["network_id": .string(network)]])
            #expect(refused.status == .conflict)
            #expect(refused.type == "IpAddressGenerationFailure")
            // A bulk request creates all its ports or none.
            let id = made.json["ports"]?.array?.first?.id ?? ""
            #expect(await client.send(.delete, "/ports/\(id)").status == .noContent)
            let two = await client.send(.post, "/ports", ["ports": [["network_id": .string(network)], ["network_id": .string(network)]]])
            #expect(two.status == .conflict)
            #expect(await client.list("ports", "network_id=\(network)").count == 28)
        }
    }

    @Test("Finding a free address costs the same number of statements in a subnet of any size", arguments: ["10.0.0.0/8", "2001:db8::/64", "192.168.3.0/24"])
    func size(cidr: String) async throws {
        try await NetworkingClient.runAsAdmin { cloud, client in
            let (network, subnet) = try await client.network(cidr: cidr)
            let port = try await client.port(network)
            let found = try #require(try await cloud.database.read { tx in try ResourceStore<Subnet>().find(ID(subnet), in: tx) })
            let store = AddressStore(world: cloud.world)
            // A random try nearly always succeeds, with one statement. An index tells whether the subnet is full.
            let cost = try await cloud.database.read { tx in
                let before = tx.statements
                for _ in 0..<8 { _ = try store.free(in: found, tx: tx) }
                return tx.statements - before
            }
            #expect(cost <= 8 * 2)
            let prefix = try #require(IPPrefix(cidr))
            #expect(port.addresses.count == 1)
            #expect(port.addresses.allSatisfy { IPAddress($0).map(prefix.contains) ?? false })
            #expect(port["fixed_ips"]?.array?.first?["subnet_id"] == .string(subnet))
        }
    }
}
