@testable import BlockStorage
import CloudCore
import ControlPlane
import SQL
import TestSupport
import Testing

/// The costs of requests with many volumes, counted in statements and in steps of SQLite, since seconds depend on the
/// machine.
@Suite("Costs with many volumes")
struct ListCostTests {
    private struct Cost: CustomStringConvertible {
        var statements: Int
        var steps: Int

        var description: String { "\(statements) statements, \(steps) steps" }
    }

    private static let few = 100

    private static func filter(_ fill: (inout VolumeFilter) -> Void) -> VolumeFilter {
        var filter = VolumeFilter(projectID: "p")
        fill(&filter)
        return filter
    }

    /// The lists that have the first 100 volumes, the oldest, however many others there are.
    private static let narrow: [(name: String, filter: VolumeFilter)] = [
        ("state", filter { $0.equal = [("status", "error".sql)] }),
        ("state of all projects", filter { ($0.projectID, $0.equal) = (nil, [("status", "error".sql)]) }),
        ("name", filter { $0.equal = [("name", "nfew".sql)] }),
        ("snapshot", filter { $0.equal = [("snapshot_id", "few".sql)] }),
        ("place", filter { ($0.projectID, $0.equal) = (nil, [("place", "few".sql)]) }),
        ("metadata", filter { $0.metadata = [("few", "yes")] }),
    ]

    /// The lists of which only the first page is read.
    private static let wide: [(name: String, filter: VolumeFilter)] = [
        ("project", filter { _ in }), ("all projects", filter { $0.projectID = nil }),
        ("part of a name", filter { $0.contain = [("name", "n")] }),
    ]

    @Test("A page of a list costs the same with 100 volumes and with 10,000, and so do a look at one and a quota check")
    func costs() async throws {
        try await TestCloud.run(on: .sqlite) { cloud in
            let service = VolumeService(context: cloud.cloud.blockStorage.context)
            try await Self.fill(cloud.database, Self.few)
            let before = try await Self.measured(service, cloud.database)
            try await Self.fill(cloud.database, 10_000)
            let after = try await Self.measured(service, cloud.database)
            for (one, other) in zip(before, after) {
                #expect(one.cost.statements == other.cost.statements, "\(one.name): \(one.cost), then \(other.cost)")
                #expect(
                    Double(other.cost.steps) <= Double(one.cost.steps) * 1.1,
                    "\(one.name): \(one.cost), then \(other.cost)")
                #expect(one.cost.statements <= 8 && one.cost.steps < 40_000, "\(one.name): \(one.cost)")
            }
        }
    }

    private static func cost(
        _ database: Database, _ body: @escaping @Sendable (Transaction) throws -> Void
    ) async throws -> Cost {
        // Preparing counts as no step, but the first run of a statement may differ from later ones.
        try await database.read(body)
        let before = (database.statements, database.steps)
        try await database.read(body)
        return Cost(statements: database.statements - before.0, steps: database.steps - before.1)
    }

    private static func measured(
        _ service: VolumeService, _ database: Database
    ) async throws -> [(name: String, cost: Cost)] {
        var costs: [(name: String, cost: Cost)] = []
        let first = try RowPage(
            ListPage(limit: few), by: [(key: "created_at", ascending: false)], ListColumn.volumes)
        for (name, filter) in narrow + wide {
            let found = try await database.read { tx in try service.volumes.page(filter, first, in: tx).count }
            #expect(found == few, "\(name)")
            let cost = try await cost(database) { tx in
                _ = try service.views(try service.volumes.page(filter, first, in: tx), in: tx)
            }
            costs.append((name, cost))
        }
        var middle = first
        middle.marker = "100050"
        let page = middle
        let inTheMiddle = try await cost(database) { tx in
            let found = try service.volumes.page(VolumeFilter(projectID: "p"), page, in: tx)
            #expect(found.count == 49)
        }
        costs.append(("page in the middle", inTheMiddle))
        let show = try await cost(database) { tx in
            let volume = try #require(try service.volumes.find(ID<Kind.Volume>("100050"), in: tx))
            _ = try service.views([volume], in: tx)
        }
        costs.append(("show", show))
        let quota = try await cost(database) { tx in
            let used = try QuotaStore().usage(of: "p", in: tx)
            #expect(used["volumes"] ?? 0 >= few)
        }
        costs.append(("quota", quota))
        return costs
    }

    /// Fills the table up to a number of volumes.
    private static func fill(_ database: Database, _ count: Int) async throws {
        try await database.write { tx in
            let present: Int = try tx.value("SELECT count(*) FROM volume") ?? 0
            let type: String = try tx.value("SELECT id FROM volume_type") ?? ""
            let isFew = count == few
            let word = isFew ? "few" : "many"
            try tx.execute(
                """
                WITH RECURSIVE numbers(i) AS (SELECT CAST(? AS BIGINT) UNION ALL SELECT i + 1 FROM numbers WHERE i < ?)
                INSERT INTO volume (id, project_id, user_id, name, size, claimed_size, status, attach_status, place,
                  type_id, snapshot_id, is_bootable, is_multiattach, metadata, image_metadata, generation, created_at)
                SELECT CAST(100000 + i AS TEXT), 'p', 'u', 'n' || CAST(? AS TEXT), 1, 1, CAST(? AS TEXT), 'detached',
                  CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), 0, 0, '{}', '{}', 0, i
                FROM numbers
                """, present + 1, count, word, isFew ? "error" : "available", word, type, word)
            guard isFew else { return }
            try tx.execute(
                """
                INSERT INTO volume_property (volume_id, kind, name, value)
                SELECT id, 'user', 'few', 'yes' FROM volume
                """)
        }
    }
}
