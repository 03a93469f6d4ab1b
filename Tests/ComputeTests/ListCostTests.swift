import CloudCore
@testable import Compute
import ControlPlane
import Durable
import SQL
import TestSupport
import Testing

/// The costs of requests with many servers, counted in statements and in steps of SQLite, since seconds depend on the
/// machine.
@Suite("Costs with many servers")
struct ListCostTests {
    private struct Cost: Equatable, CustomStringConvertible {
        var statements: Int
        var steps: Int

        var description: String { "\(statements) statements, \(steps) steps" }
    }

    private static let few = 100

    /// The lists that have the first 100 servers, the oldest, however many others there are.
    private static let narrow: [(name: String, query: ServerQuery)] = [
        ("state", query { $0.filter.states = [.stopped] }),
        ("two states", query { $0.filter.states = [.stopped, .error] }),
        ("state of all projects", query { ($0.filter.projectID, $0.filter.states) = (nil, [.stopped]) }),
        ("status", query { ($0.filter.states, $0.statuses) = ([.stopped], ["SHUTOFF"]) }),
        ("host", query { $0.filter.host = "few" }),
        ("user", query { $0.filter.userID = "few" }),
        ("image", query { $0.filter.imageID = "few" }),
        ("image of all projects", query { ($0.filter.projectID, $0.filter.imageID) = (nil, "few") }),
        ("flavor", query { $0.filter.flavorID = "few" }),
        ("flavor of all projects", query { ($0.filter.projectID, $0.filter.flavorID) = (nil, "few") }),
        ("beginning of a name", query { $0.filter.name = .beginning("few-") }),
        ("tags", query { $0.filter.tags.all = ["few", "old"] }),
        ("any tag", query { $0.filter.tags.any = ["few", "none"] }),
        (
            "changes",
            query {
                ($0.filter.changedSince, $0.filter.changedBefore) = (
                    Timestamp(seconds: 900_000), Timestamp(seconds: 999_999)
                )
            }
        ),
    ]

    /// The lists of which only the first page is read, whose other servers are in the table as well.
    private static let wide: [(name: String, query: ServerQuery)] = [
        ("project", query { _ in }),
        ("all projects", query { $0.filter.projectID = nil }),
        ("all but a tag", query { $0.filter.tags.notAny = ["none"] }),
        ("part of a name", query { $0.filter.namePart = "-" }),
    ]

    private static func query(_ fill: (inout ServerQuery) -> Void) -> ServerQuery {
        var query = ServerQuery()
        query.filter.projectID = "p"
        query.sort = [("created_at", false)]
        fill(&query)
        return query
    }

    @Test(
        "A page of a list costs the same with 100 servers and with 10,000, and so do a look at a server and at a quota")
    func costs() async throws {
        try await TestCloud.run(on: .sqlite) { cloud in
            try await Self.fill(cloud.database, Self.few)
            let service = Self.service(cloud)
            let before = try await Self.measured(service, cloud)
            try await Self.fill(cloud.database, 10_000)
            let after = try await Self.measured(service, cloud)
            #expect(before.map(\.name) == after.map(\.name))
            for (one, other) in zip(before, after) {
                #expect(one.cost.statements == other.cost.statements, "\(one.name): \(one.cost), then \(other.cost)")
                #expect(
                    Double(other.cost.steps) <= Double(one.cost.steps) * 1.1,
                    "\(one.name): \(one.cost), then \(other.cost)")
                #expect(one.cost.statements <= 8 && one.cost.steps < 20_000, "\(one.name): \(one.cost)")
            }
        }
    }

    @Test("A filter that too many servers fulfil costs a look at 1,000 of them more, and no more with more servers")
    func wideFilters() async throws {
        try await TestCloud.run(on: .sqlite) { cloud in
            let service = Self.service(cloud)
            let queries = [
                Self.query { $0.filter.name = .beginning("many-") },
                Self.query { $0.filter.changedSince = Timestamp(seconds: 1) },
                Self.query { $0.filter.host = "many" },
            ]
            func costs() async throws -> [Cost] {
                var costs: [Cost] = []
                for query in queries {
                    costs.append(
                        try await Self.cost(cloud.database) { tx in
                            _ = try ServerLister(service: service, query: query).briefs(Page(limit: Self.few), in: tx)
                        })
                }
                return costs
            }
            try await Self.fill(cloud.database, 2000)
            let before = try await costs()
            try await Self.fill(cloud.database, 10_000)
            for (one, other) in zip(before, try await costs()) {
                #expect(
                    one.statements == other.statements && Double(other.steps) <= Double(one.steps) * 1.1,
                    "\(one), then \(other)")
            }
        }
    }

    @Test("A pattern that no name fulfils reads an index of names and nothing else, a thousand names at a time")
    func patterns() async throws {
        try await TestCloud.run(on: .sqlite) { cloud in
            let service = Self.service(cloud)
            let pattern = try NamePattern("no.*such")
            let query = Self.query { $0.filter.namePatterns = [pattern] }
            for count in [2000, 10_000] {
                try await Self.fill(cloud.database, count)
                let cost = try await Self.cost(cloud.database, .long) { tx in
                    let found = try ServerLister(service: service, query: query).briefs(Page(limit: Self.few), in: tx)
                    #expect(found.isEmpty)
                }
                #expect(cost.statements == count / 1000 + 1 && cost.steps < count * 20, "\(cost)")
            }
            let plan = try await cloud.database.read { tx in
                try tx.rows(
                    """
                    EXPLAIN QUERY PLAN SELECT s.name, s.created_at, s.id FROM compute_server AS s
                    WHERE s.project_id = 'p' ORDER BY s.created_at DESC, s.id DESC LIMIT 1000
                    """
                ).map { try $0["detail"] as String }
            }
            #expect(plan.count == 1 && plan[0].contains("COVERING INDEX compute_server_project "), "\(plan)")
        }
    }

    private static func service(_ cloud: TestCloud) -> ServerService {
        let context = cloud.cloud.compute.context
        return ServerService(context: context, workflows: cloud.cloud.workflows, hosts: HostService(context: context))
    }

    private static func cost(
        _ database: Database, _ reading: Reading = .short, _ body: @escaping @Sendable (Transaction) throws -> Void
    ) async throws -> Cost {
        // Preparing counts as no step, but the first run of a statement may differ from later ones.
        try await database.read(reading, body)
        let before = (database.statements, database.steps)
        try await database.read(reading, body)
        return Cost(statements: database.statements - before.0, steps: database.steps - before.1)
    }

    private static func measured(_ service: ServerService, _ cloud: TestCloud) async throws -> [(
        name: String, cost: Cost
    )] {
        var costs: [(String, Cost)] = []
        for (name, query) in narrow + wide {
            let found = try await cloud.database.read { tx in
                try ServerLister(service: service, query: query).briefs(Page(limit: few), in: tx)
            }
            #expect(found.count == few, "\(name)")
            costs.append(
                (
                    name,
                    try await cost(cloud.database) { tx in
                        _ = try ServerLister(service: service, query: query).briefs(Page(limit: few), in: tx)
                    }
                ))
        }
        costs.append(
            (
                "in detail",
                try await cost(cloud.database) { tx in
                    let found = try ServerLister(service: service, query: query { _ in }).views(
                        Page(limit: few), in: tx)
                    #expect(found.count == few)
                }
            ))
        let middle = id(50)
        costs.append(
            (
                "page in the middle",
                try await cost(cloud.database) { tx in
                    let page = Page(limit: few, marker: middle.text)
                    let found = try ServerLister(service: service, query: query { _ in }).briefs(page, in: tx)
                    #expect(found.count == 49)
                }
            ))
        costs.append(
            (
                "name",
                try await cost(cloud.database) { tx in
                    let named = query { $0.filter.name = .exactly("few-7") }
                    let found = try ServerLister(service: service, query: named).briefs(Page(limit: few), in: tx)
                    #expect(found.map(\.id) == [id(7)])
                }
            ))
        costs.append(
            (
                "show",
                try await cost(cloud.database) { tx in
                    let server = try #require(try service.servers.findStored(middle, in: tx))
                    _ = try service.views([server], in: tx)
                }
            ))
        for user in [nil, "few"] as [String?] {
            costs.append(
                (
                    "quota",
                    try await cost(cloud.database) { tx in
                        _ = try QuotaStore().limits(project: "p", user: user, in: tx)
                        let used = try QuotaStore().usage(project: "p", user: user, in: tx)
                        #expect(used[.instances] ?? 0 >= few)
                    }
                ))
        }
        costs.append(
            (
                "addresses",
                try await cost(cloud.database) { tx in
                    var query = query { _ in }
                    (query.addresses, query.viewTests) = ([.beginning("10.5.")], [{ !$0.ports.isEmpty }])
                    let found = try ServerLister(service: service, query: query).views(Page(limit: few), in: tx)
                    #expect(found.isEmpty)
                }
            ))
        costs.append(
            (
                "tasks",
                try await cost(cloud.database) { tx in
                    var query = query { _ in }
                    (query.needsTask, query.viewTests) = (true, [{ $0.task != nil }])
                    let found = try ServerLister(service: service, query: query).views(Page(limit: few), in: tx)
                    #expect(found.isEmpty)
                }
            ))
        return costs
    }

    private static func id(_ number: Int) -> ID<Kind.Server> { ID(String(100_000 + number)) }

    /// Fills the table up to a number of servers, which are copies of one but for their ids, times and columns.
    private static func fill(_ database: Database, _ count: Int) async throws {
        var server = ServerStage.server(.test())
        (server.id, server.createdAt) = (id(0), Timestamp(microseconds: 777_777_777_777))
        let details = try StoredJSON.text(server)
        try await database.write { tx in
            let present: Int = try tx.value("SELECT count(*) FROM compute_server") ?? 0
            let isFew = count == few
            let word = isFew ? "few" : "many"
            try tx.execute(
                """
                WITH RECURSIVE numbers(i) AS (SELECT CAST(? AS BIGINT) UNION ALL SELECT i + 1 FROM numbers WHERE i < ?)
                INSERT INTO compute_server (id, number, project_id, user_id, name, vm_state, host, image_id, flavor_id,
                  flavor_name, vcpus, ram, disk, generation, created_at, updated_at, launched_at, details)
                SELECT CAST(100000 + i AS TEXT), i, 'p', CAST(? AS TEXT), ? || '-' || CAST(i AS TEXT),
                  CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), 'f', 1, 512, 1, 0, i, ? + i, i,
                  replace(replace(CAST(? AS TEXT), '"id":"100000"', '"id":"' || CAST(100000 + i AS TEXT) || '"'),
                    '"createdAt":777777777777', '"createdAt":' || CAST(i AS TEXT))
                FROM numbers
                """, present + 1, count, word, word, isFew ? "stopped" : "active", word, word, word,
                isFew ? 950_000_000_000 : 2_000_000_000_000, details)
            guard isFew else { return }
            try tx.execute(
                """
                INSERT INTO compute_server_tag (server_id, tag)
                SELECT id, 'few' FROM compute_server WHERE user_id = 'few'
                UNION ALL SELECT id, 'old' FROM compute_server WHERE user_id = 'few'
                """)
        }
    }
}
