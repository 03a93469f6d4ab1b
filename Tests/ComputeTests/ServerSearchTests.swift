import CloudCore
import ControlPlane
import HTTPTypes
import TestSupport
import Testing

@Suite("Searches for servers, and pages of other lists")
struct ServerSearchTests {
    @Test("The pages of migrations, usage and actions together are the whole list, and a lost marker is refused")
    func otherPages() async throws {
        try await ServerTests.run { client, image in
            var ids: [String] = []
            for name in ["a", "b", "c"] {
                ids.append(try await ServerTests.boot(client, image, ["name": .string(name)]))
                client.cloud.clock.advance(by: .seconds(1))
            }
            for action in [["migrate": .null], ["confirmResize": .null], ["migrate": .null], ["confirmResize": .null]]
                as [JSON]
            {
                for id in ids.prefix(2) { await client.good(.post, "/servers/\(id)/action", action) }
                try await ServerTests.settle(client)
                client.cloud.clock.advance(by: .seconds(1))
            }
            await client.good(.delete, "/servers/\(ids[1])")
            try await ServerTests.settle(client)
            let lists: [(path: String, name: String, id: String, count: Int)] = [
                ("/os-migrations?", "migrations", "uuid", 4), ("/os-migrations?host=none&", "migrations", "uuid", 0),
                ("/os-migrations?migration_type=migration&status=confirmed&", "migrations", "uuid", 4),
                ("/servers/\(ids[0])/os-instance-actions?", "instanceActions", "request_id", 5),
                ("/servers/\(ids[1])/os-instance-actions?", "instanceActions", "request_id", 6),
            ]
            for list in lists {
                func page(_ query: String) async -> [String] {
                    await client.good(.get, list.path + query)[list.name]?.array?.compactMap { $0[list.id]?.string }
                        ?? []
                }
                let whole = await page("limit=100")
                #expect(whole.count == list.count, "\(list.path)")
                #expect(await Self.joined(whole.count) { await page("limit=1" + $0) } == whole)
                await client.refused(.badRequest, .get, list.path + "marker=11111111-2222-4333-8444-555555555555")
            }
            for path in [
                "/os-simple-tenant-usage", "/os-simple-tenant-usage/\(await ServerCountTests.project(client))",
            ] {
                func page(_ query: String) async -> [String] {
                    let reply = await client.good(.get, "\(path)?detailed=1&start=2011-01-01T00:00:00&\(query)")
                    let usages = reply["tenant_usages"]?.array ?? reply["tenant_usage"].map { [$0] } ?? []
                    return usages.flatMap { $0["server_usages"]?.array ?? [] }.compactMap { $0["instance_id"]?.string }
                }
                let whole = await page("")
                #expect(whole.sorted() == ids.sorted())
                #expect(await Self.joined(3) { await page("limit=1" + $0) } == whole)
                await client.refused(.badRequest, .get, path + "?marker=11111111-2222-4333-8444-555555555555")
                await client.refused(
                    .badRequest, .get, path + "?start=2011-01-01T00:00:00&end=2011-01-02T00:00:00&marker=\(ids[0])")
            }
        }
    }

    /// Returns pages of one element each, joined.
    private static func joined(_ count: Int, _ page: (String) async -> [String]) async -> [String] {
        var found: [String] = []
        for _ in 0...count { found += await page(found.last.map { "&marker=\($0)" } ?? "") }
        return found
    }

    @Test("Servers are found by their addresses and by their tasks")
    func addresses() async throws {
        try await ServerTests.run { client, image in
            let network = try await ServerCountTests.network(client)
            func boot(_ name: String, _ address: String) async throws -> String {
                let wanted: JSON = [["uuid": .string(network), "fixed_ip": .string(address)]]
                return try await ServerTests.boot(client, image, ["name": .string(name), "networks": wanted])
            }
            _ = try await boot("a", "10.5.0.7")
            client.cloud.clock.advance(by: .seconds(1))
            let second = try await boot("b", "10.5.0.70")
            client.cloud.clock.advance(by: .seconds(1))
            _ = try await ServerTests.boot(client, image, ["name": "c"])
            func names(_ query: String) async -> String {
                let servers = await client.good(.get, "/servers?\(query)")["servers"]?.array ?? []
                return servers.compactMap { $0["name"]?.string }.joined()
            }
            for (query, expected) in [
                ("ip=10.5.0.7", "ba"), ("ip=^10%5C.5%5C.0%5C.7$", "a"), ("ip=^10%5C.5%5C.0%5C.7", "ba"),
                ("ip=^10.5.0.7.$", "b"),
                ("ip6=^10%5C.5", ""), ("ip=^10%5C.6", ""), ("ip=^10%5C.5&name=^b$", "b"),
                ("ip=^10%5C.5&all_tenants=1&limit=1", "b"),
            ] { #expect(await names(query) == expected, "\(query)") }
            for (query, expected) in [
                ("status=ACTIVE", "cba"), ("status=REBOOT", ""), ("task_state=rebooting", ""), ("status=BUILD", ""),
            ] {
                #expect(await names(query) == expected, "\(query)")
            }
            await client.good(.post, "/servers/\(second)/action", ["reboot": ["type": "SOFT"]])
            let task = await client.good(.get, "/servers/\(second)")["server"]?["OS-EXT-STS:task_state"]?.string ?? ""
            for (query, expected) in [
                ("status=ACTIVE", "ca"), ("status=REBOOT", "b"), ("task_state=\(task)", "b"),
                ("status=REBOOT&status=ACTIVE", "cba"),
                ("status=REBOOT&name=^a$", ""),
            ] { #expect(await names(query) == expected, "\(query)") }
        }
    }
}
