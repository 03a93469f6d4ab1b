import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Networking

@Suite("Subnet pools")
struct PoolTests {
    @Test("A pool allocates prefixes of any length, and shows lengths as strings")
    func lengths() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let pool = try await client.make("subnetpool", ["name": "p", "prefixes": ["2001:db8::/32"], "min_prefixlen": 48, "default_prefixlen": "56"])
            #expect(pool["min_prefixlen"] == "48" && pool["default_prefixlen"] == "56" && pool["max_prefixlen"] == "128")
            let usual = try await client.make("subnetpool", ["name": "q", "prefixes": ["10.0.0.0/8"]])
            #expect(usual["min_prefixlen"] == "8" && usual["default_prefixlen"] == "8" && usual["max_prefixlen"] == "32")
            let wide = try await client.make("subnetpool", ["name": "r", "prefixes": ["10.0.0.0/6"], "min_prefixlen": 6, "default_prefixlen": 24])
            #expect(wide["min_prefixlen"] == "6")
            let network = try await client.make("network").id
            let body: JSONObject = ["network_id": .string(network), "ip_version": 6, "subnetpool_id": .string(pool.id), "ipv6_ra_mode": .null]
            #expect(try await client.make("subnet", body)["cidr"] == "2001:db8::/56")
            #expect(await client.list("subnetpools", "min_prefixlen=48").map(\.id) == [pool.id])
            let changed = await client.change("subnetpool", pool.id, ["min_prefixlen": 52])
            #expect(changed.json["subnetpool"]?["min_prefixlen"] == "52", "\(changed.text)")
        }
    }

    @Test("Missing and foreign address scopes look alike, and a pool in a shared scope cannot be changed by its owner")
    func scopes() async throws {
        try await NetworkingClient.run { _, admin, member in
            let hidden = try await admin.make("address_scope", ["name": "s", "ip_version": 4]).id
            for scope in [hidden, "00000000-0000-4000-8000-000000000000"] {
                let body: JSON = ["subnetpool": ["name": "p", "prefixes": ["10.0.0.0/8"], "address_scope_id": .string(scope)]]
                let reply = await member.send(.post, "/subnetpools", body)
                #expect(reply.status == .notFound && reply.type == "AddressScopeNotFound", "\(reply.text)")
            }
            let shared = try await admin.make("address_scope", ["name": "t", "ip_version": 4, "shared": true]).id
            let pool = try await member.make("subnetpool", ["name": "p", "prefixes": ["10.0.0.0/8"], "address_scope_id": .string(shared)]).id
            let reply = await member.change("subnetpool", pool, ["prefixes": ["10.0.0.0/8", "11.0.0.0/8"]])
            #expect(reply.status == .badRequest && reply.type == "IllegalSubnetPoolUpdate", "\(reply.text)")
            #expect(await admin.change("subnetpool", pool, ["prefixes": ["10.0.0.0/8", "11.0.0.0/8"]]).status == .ok)
        }
    }

    @Test("Pools of one request in one scope must not overlap, and the scope is read once")
    func together() async throws {
        try await NetworkingClient.runAsAdmin { cloud, client in
            let scope = try await client.make("address_scope", ["name": "s", "ip_version": 4]).id
            func pool(_ at: Int, count: Int = 50) -> JSON {
                let prefixes = (0..<count).map { JSON.string("10.\(at).\($0 * 2).0/24") }
                return ["name": "p", "prefixes": .array(prefixes), "address_scope_id": .string(scope)]
            }
            let twice = await client.send(.post, "/subnetpools", ["subnetpools": [pool(0), pool(1), pool(0)]])
            #expect(twice.status == .conflict && twice.type == "AddressScopePrefixConflict", "\(twice.text)")
            func cost(_ pools: Range<Int>) async -> Int {
                let before = cloud.database.statements
                #expect(await client.send(.post, "/subnetpools", ["subnetpools": .array(pools.map { pool($0) })]).status == .created)
                return cloud.database.statements - before
            }
            let (two, twenty) = (await cost(0..<2), await cost(2..<22))
            #expect(twenty - two <= 18 * 3, "\(two), \(twenty)")
            let full = await client.send(.post, "/subnetpools", ["subnetpools": .array((22..<41).map { pool($0) })])
            #expect(full.status == .conflict && full.type == "OverQuota", "\(full.text)")
        }
    }

    @Test("A pool has at most 100 prefixes")
    func prefixes() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            func body(_ count: Int) -> JSONObject { ["name": "p", "prefixes": .array((0..<count).map { .string("10.0.\($0 * 2).0/24") })] }
            let reply = await client.send(.post, "/subnetpools", ["subnetpool": .object(body(101))])
            #expect(reply.status == .conflict && reply.type == "OverQuota", "\(reply.text)")
            let pool = try await client.make("subnetpool", body(100)).id
            let more = await client.change("subnetpool", pool, ["prefixes": body(101)["prefixes"] ?? .null])
            #expect(more.type == "OverQuota", "\(more.text)")
        }
    }

    @Test("Overlapping prefixes are found")
    func overlaps() {
        func prefixes(_ texts: String...) -> [IPPrefix] { texts.compactMap { IPPrefix($0) } }
        #expect(!PrefixMath.haveOverlap(prefixes("10.0.0.0/24", "10.0.1.0/24", "2001:db8::/32", "9.0.0.0/8")))
        #expect(PrefixMath.haveOverlap(prefixes("10.0.5.0/24", "9.0.0.0/8", "10.0.0.0/16")))
        #expect(PrefixMath.haveOverlap(prefixes("10.0.0.0/24", "10.0.0.0/24")))
        #expect(!PrefixMath.haveOverlap([]))
        #expect(PrefixMath.compact(prefixes("10.0.0.0/8", "10.0.0.0/24", "10.9.0.0/16", "11.0.0.0/8", "12.0.0.0/24")).map(\.description) == ["10.0.0.0/7", "12.0.0.0/24"])
    }
}
