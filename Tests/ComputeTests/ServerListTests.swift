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
    @Test("The pages of a list together are the whole list, in every order")
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

    @Test("A page costs the same number of statements whatever its length")
    func statements() async throws {
        try await ServerTests.run { client, image in
            for _ in 0..<4 { _ = try await ServerTests.boot(client, image) }
            let cloud = client.cloud.cloud
            let context = cloud.compute.context
            let service = ServerService(context: context, workflows: cloud.workflows, hosts: HostService(context: context))
            func cost(of limit: Int) async throws -> Int {
                try await cloud.database.read { tx in
                    let page = try ServerLister(service: service, query: ServerQuery()).views(
                        Page(limit: limit), in: tx)
                    #expect(page.count == limit)
                    return tx.statements
                }
            }
            let one = try await cost(of: 1)
            #expect(try await cost(of: 4) == one)
            #expect(one <= 8, "\(one) statements")
        }
    }

    @Test("A deleted server is a valid marker: the next page goes on after it, in every list and order")
    func goneMarkers() async throws {
        try await ServerTests.run(hosts: 1) { client, image in
            var ids: [String] = []
            for name in ["a", "b", "c", "d", "e"] {
                ids.append(try await ServerTests.boot(client, image, ["name": .string(name)]))
                client.cloud.clock.advance(by: .seconds(1))
            }
            for gone in [ids[4], ids[2]] { await client.good(.delete, "/servers/\(gone)") }
            try await ServerTests.settle(client)
            func page(_ query: String, detail: Bool) async -> [String] {
                let reply = await client.good(.get, "/servers\(detail ? "/detail" : "")?\(query)")
                return reply["servers"]?.array?.compactMap { $0["name"]?.string } ?? []
            }
            for detail in [false, true] {
                for more in ["", "&all_tenants=1", "&name=.", "&status=ACTIVE", "&sort_key=host&sort_key=created_at&sort_dir=desc"] {
                    #expect(await page("marker=\(ids[4])\(more)", detail: detail) == ["d", "b", "a"], "\(more)")
                    #expect(await page("marker=\(ids[2])&limit=1\(more)", detail: detail) == ["b"], "\(more)")
                    // A marker that exists but is not in the list works as well.
                    #expect(await page("marker=\(ids[3])\(more)", detail: detail) == ["b", "a"], "\(more)")
                }
                #expect(await page("marker=\(ids[3])&name=%5E%5Babc%5D", detail: detail) == ["b", "a"])
                let sorted = "sort_key=display_name&sort_dir=asc"
                #expect(await page("marker=\(ids[2])&\(sorted)", detail: detail) == ["d"])
                #expect(await page("marker=\(ids[2])&changes-since=2011&\(sorted)", detail: detail) == ["d", "e"])
                await client.refused(.badRequest, .get, "/servers?marker=11111111-2222-4333-8444-555555555555&name=.")
            }
            let member = try await ComputeClient.member(client.cloud)
            await member.refused(.badRequest, .get, "/servers?marker=\(ids[4])")
        }
    }

    @Test("changes-since and changes-before accept every form of a time, and both include it")
    func moments() async throws {
        try await ServerTests.run { client, image in
            client.cloud.clock.advance(by: .milliseconds(400))
            let id = try await ServerTests.boot(client, image)
            for form in [
                "2011-01-24", "2011-01", "2011", "20110124", "2011-01-24T17:08", "2011-01-24T17", "2011-01-24T17:08:01-05",
                "2011-01-24T17:08:01,5Z", "2011-01-24T17:08:01.123Z", "2011-01-24T17:08:01%2B02:00",
            ] {
                for path in ["/servers", "/os-migrations", "/servers/\(id)/os-instance-actions"] {
                    await client.good(.get, path + "?changes-since=\(form)")
                    await client.good(.get, path + "?changes-before=\(form)")
                }
                #expect(await client.good(.get, "/servers?changes-since=\(form)")["servers"]?.array?.count == 1, "\(form)")
            }
            for wrong in ["yesterday", "201101", "2011-13", "2011-01-24T25"] {
                await client.refused(.badRequest, .get, "/servers?changes-since=\(wrong)")
            }
            let shown = await client.good(.get, "/servers/\(id)")["server"]?["updated"]?.string ?? ""
            for query in ["changes-before=\(shown)", "changes-since=\(shown)", "changes-since=\(shown)&changes-before=\(shown)"] {
                #expect(await client.good(.get, "/servers?\(query)")["servers"]?.array?.count == 1, "\(query)")
            }
            let actions = await client.good(.get, "/servers/\(id)/os-instance-actions?changes-before=\(shown)")["instanceActions"]
            #expect(actions?.array?.count == 1)
        }
    }

    @Test("Deleted servers can be filtered like those that exist")
    func archivedFilters() async throws {
        try await ServerTests.run { client, image in
            let id = try await ServerTests.boot(client, image)
            await client.good(.delete, "/servers/\(id)")
            try await ServerTests.settle(client)
            func count(_ query: String) async -> Int? {
                await client.good(.get, "/servers?changes-since=2011&\(query)")["servers"]?.array?.count
            }
            #expect(await count("image=\(image)") == 1)
            #expect(await count("image=\(id)") == 0)
            #expect(await count("flavor=small") == 1)
            #expect(await count("flavor=large") == 0)
            #expect(await count("host=nowhere") == 0)
            #expect(await count("vm_state=active") == 0)
            #expect(await count("vm_state=deleted") == 1)
        }
    }

    @Test("Usage without a start or end reaches to the present")
    func usage() async throws {
        try await ServerTests.run { client, image in
            _ = try await ServerTests.boot(client, image)
            client.cloud.clock.advance(by: .seconds(1))
            let project = await ServerCountTests.project(client)
            for query in ["", "?detailed=1", "?start=", "?start=2011-01-24T17:08:01"] {
                let found = await client.good(.get, "/os-simple-tenant-usage\(query)")["tenant_usages"]?.array
                #expect(found?.count == 1, "\(query)")
                await client.good(.get, "/os-simple-tenant-usage/\(project)\(query)")
            }
            for wrong in ["start=2099-01-01T00:00:00", "end=2011-01-01T00:00:00", "start=yesterday"] {
                await client.refused(.badRequest, .get, "/os-simple-tenant-usage?\(wrong)")
            }
            await client.good(.get, "/os-simple-tenant-usage?end=2099-01-01T00:00:00")
        }
    }
}
