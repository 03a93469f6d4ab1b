import CloudCore
@testable import Compute
import ControlPlane
import Durable
import HTTPTypes
import SQL
import TestSupport
import Testing

@Suite("Lists of servers")
struct ServerListTests {
    @Test("Pages one after the other are the whole list, in every order")
    func pages() async throws {
        try await ServerTests.run { client, image in
            for name in ["c", "a", "b", "a", "d"] {
                _ = try await ServerTests.boot(client, image, ["name": .string(name)])
                client.cloud.clock.advance(by: .seconds(1))
            }
            let orders = [
                "", "sort_key=created_at&sort_dir=asc", "sort_key=display_name&sort_dir=asc", "sort_key=display_name&sort_dir=desc",
                "sort_key=vm_state&sort_key=display_name&sort_dir=asc&sort_dir=desc", "sort_key=uuid", "sort_key=host&sort_dir=asc", "name=.",
            ]
            for order in orders {
                func ids(_ query: String) async -> [String] {
                    let reply = await client.good(.get, "/servers/detail?\([order, query].filter { !$0.isEmpty }.joined(separator: "&"))")
                    return reply["servers"]?.array?.compactMap { $0["id"]?.string } ?? []
                }
                let whole = await ids("")
                #expect(whole.count == 5)
                var found: [String] = []
                while true {
                    let page = await ids("limit=2" + (found.last.map { "&marker=\($0)" } ?? ""))
                    found += page
                    if page.count < 2 { break }
                }
                #expect(found == whole, "\(order)")
            }
            let names = await client.good(.get, "/servers?sort_key=display_name&sort_dir=asc")["servers"]?.array?.compactMap { $0["name"]?.string }
            #expect(names == ["a", "a", "b", "c", "d"])
            #expect(await client.good(.get, "/servers?limit=0")["servers"] == [])
            await client.refused(.badRequest, .get, "/servers?marker=11111111-2222-4333-8444-555555555555")
        }
    }

    @Test("A page costs the same number of statements, however long it is")
    func statements() async throws {
        try await ServerTests.run { client, image in
            for _ in 0..<4 { _ = try await ServerTests.boot(client, image) }
            let cloud = client.cloud.cloud
            let context = cloud.compute.context
            let service = ServerService(context: context, workflows: cloud.workflows, hosts: HostService(context: context))
            func cost(of limit: Int) async throws -> Int {
                try await cloud.database.read { tx in
                    let page = try service.servers.page(.init(), by: [(.createdAt, false), (.id, false)], after: nil, limit: limit, in: tx)
                    #expect(page.count == limit)
                    _ = try service.views(page, in: tx)
                    return tx.statements
                }
            }
            let one = try await cost(of: 1)
            #expect(try await cost(of: 4) == one)
            #expect(one <= 8, "\(one) statements")
        }
    }
}
