import CloudCore
import TestSupport
import Testing

@testable import SQL

@Suite("Usage that the database keeps")
struct LedgerTests {
    private static let tallies = [
        Tally(
            of: "crate", owners: [.project("row.project_id"), .user("row.user_id", in: "row.project_id")],
            [.use("crates"), .use("weight", "row.weight"), .use(named: "'weight_' || row.kind", "row.weight")]),
        Tally(of: "label", owners: [.user("row.user_id")], [.use("labels")], where: "row.user_id <> ''"),
    ]
    private static let ledger = Ledger("stock", tallies)
    private static let tables = Migration(
        1, "crates",
        """
        CREATE TABLE shelf (id INTEGER PRIMARY KEY);
        CREATE TABLE crate (
          id INTEGER PRIMARY KEY, project_id TEXT NOT NULL, user_id TEXT NOT NULL, kind TEXT NOT NULL,
          weight INTEGER NOT NULL, note TEXT, shelf INTEGER REFERENCES shelf(id) ON DELETE CASCADE);
        CREATE TABLE label (id INTEGER PRIMARY KEY, user_id TEXT NOT NULL);
        """)
    private static let schema = Schema(
        service: "test", [tables, Migration(2, "stock", Ledger.creation(of: "stock", tallies))])

    private static func withStock(_ kind: DatabaseKind, _ body: (Database) async throws -> Void) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [schema]) { try await body($0.database) }
    }

    static func add(
        _ id: Int, _ project: String = "p", _ user: String = "u", _ kind: String = "a", _ weight: Int = 3,
        in tx: Transaction
    ) throws {
        try tx.execute(
            "INSERT INTO crate (id, project_id, user_id, kind, weight) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            id, project, user,
            kind, weight)
    }

    /// Returns the usage of an owner, after a comparison with the usage of each single resource.
    private static func used(_ database: Database, _ project: String = "p", _ user: String = "") async throws
        -> [String: Int64]
    {
        try await database.read { tx in
            let used = try ledger.used(by: project, user: user, in: tx)
            for resource in ["crates", "weight", "weight_a", "weight_b", "labels"] {
                #expect(try ledger.used(resource, by: project, user: user, in: tx) == used[resource, default: 0])
            }
            return used
        }
    }

    private static func differences(_ database: Database) async throws -> [Ledger.Difference] {
        try await database.read { tx in try ledger.differences(in: tx) }
    }

    @Test("A row counts for its project and its user, and no longer when it is gone", arguments: DatabaseKind.allCases)
    func owners(kind: DatabaseKind) async throws {
        try await Self.withStock(kind) { database in
            func used(_ project: String, _ user: String = "") async throws -> [String: Int64] {
                try await Self.used(database, project, user)
            }
            try await database.write { tx in
                try Self.add(1, "p", "u", "a", 3, in: tx)
                try Self.add(1, "p", "u", "a", 3, in: tx)
                try Self.add(2, "p", "v", "b", 4, in: tx)
                try Self.add(3, "", "u", "b", 9, in: tx)
                try tx.execute("INSERT INTO label (id, user_id) VALUES (1, 'u'), (2, 'u'), (3, '')")
            }
            #expect(try await used("p") == ["crates": 2, "weight": 7, "weight_a": 3, "weight_b": 4])
            #expect(try await used("p", "u") == ["crates": 1, "weight": 3, "weight_a": 3])
            #expect(try await used("", "u") == ["labels": 2])
            #expect(try await used("") == [:])
            try await database.write { tx in
                try tx.execute("UPDATE crate SET weight = 5, kind = 'b', note = 'n' WHERE id = 1")
                try tx.execute("UPDATE crate SET project_id = 'q' WHERE id = 2")
            }
            #expect(try await used("p") == ["crates": 1, "weight": 5, "weight_b": 5])
            #expect(try await used("q", "v") == ["crates": 1, "weight": 4, "weight_b": 4])
            #expect(try await Self.used(database, "q")["weight_b", default: 0] == 4)
            #expect(try await Self.used(database, "q")["weight_a", default: 0] == 0)
            try await database.write { tx in try tx.execute("DELETE FROM crate") }
            try await database.write { tx in try tx.execute("DELETE FROM label") }
            #expect(try await used("p") == [:])
            #expect(try await used("q") == [:])
            let rows: Int? = try await database.read { tx in try tx.value("SELECT count(*) FROM stock WHERE used <> 0")
            }
            #expect(kind == .postgreSQL || rows == 0)
        }
    }

    @Test("A transaction that is rolled back changes no usage", arguments: DatabaseKind.allCases)
    func rolledBack(kind: DatabaseKind) async throws {
        try await Self.withStock(kind) { database in
            await #expect(throws: Deliberate.self) {
                try await database.write { tx in
                    try Self.add(1, in: tx)
                    throw Deliberate()
                }
            }
            let used = try await Self.used(database)
            #expect(used == [:])
        }
    }

    @Test("After random changes the kept usage is what a fresh count finds", arguments: DatabaseKind.allCases)
    func random(kind: DatabaseKind) async throws {
        for seed in 1...3 as ClosedRange<UInt64> {
            try await Self.withStock(kind) { database in
                var random = SplitMix64(seed: seed)
                for round in 0..<12 {
                    let changes = (0..<10).map { _ in LedgerChange(&random) }
                    try await database.write { tx in for change in changes { try change.run(in: tx) } }
                    #expect(try await Self.differences(database) == [], "seed \(seed), round \(round)")
                }
                let counted: Int64 = try await database.read { tx in
                    try tx.value("SELECT count(*) FROM crate WHERE project_id = 'p'") ?? 0
                }
                #expect(try await Self.used(database, "p")["crates", default: 0] == counted)
            }
        }
    }

    @Test("The step that adds a ledger counts the rows that are there", arguments: DatabaseKind.allCases)
    func filled(kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [Schema(service: "test", [Self.tables])]) { test in
            try await test.database.write { tx in
                for id in 1...5 { try Self.add(id, id < 4 ? "p" : "q", in: tx) }
                try tx.execute("INSERT INTO label (id, user_id) VALUES (1, 'u')")
            }
            #expect(try await test.database.migrate([Self.schema]) == ["test 2: stock"])
            #expect(try await Self.differences(test.database) == [])
            #expect(try await Self.used(test.database) == ["crates": 3, "weight": 9, "weight_a": 9])
        }
    }

    @Test("A difference is found, and a recount mends it", arguments: DatabaseKind.allCases)
    func recounted(kind: DatabaseKind) async throws {
        try await Self.withStock(kind) { database in
            try await database.write { tx in
                try Self.add(1, in: tx)
                try tx.execute("UPDATE stock SET used = used + 5 WHERE resource = 'weight' AND user_id = ''")
                try tx.execute("DELETE FROM stock WHERE resource = 'crates' AND user_id = 'u'")
            }
            #expect(
                try await Self.differences(database) == [
                    .init(project: "p", user: "", resource: "weight", kept: 8, counted: 3),
                    .init(project: "p", user: "u", resource: "crates", kept: 0, counted: 1),
                ])
            try await database.write { tx in try Self.ledger.recount(in: tx) }
            #expect(try await Self.differences(database) == [])
            #expect(try await Self.used(database, "p")["weight", default: 0] == 3)
        }
    }

    @Test("Writers of one project at the same time keep an exact count", arguments: DatabaseKind.allCases)
    func writers(kind: DatabaseKind) async throws {
        try await Self.withStock(kind) { database in
            try await withThrowingTaskGroup { group in
                for writer in 0..<8 {
                    group.addTask {
                        for number in 0..<20 {
                            let id = writer * 100 + number
                            try await database.write { tx in try Self.add(id, "p", "u", "a", 1, in: tx) }
                            if number.isMultiple(of: 2) {
                                try await database.write { tx in try tx.execute("DELETE FROM crate WHERE id = ?", id) }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await Self.used(database) == ["crates": 80, "weight": 80, "weight_a": 80])
            #expect(try await Self.differences(database) == [])
        }
    }

    @Test("No limit is passed by writers who look at the usage first", arguments: DatabaseKind.allCases)
    func limited(kind: DatabaseKind) async throws {
        try await Self.withStock(kind) { database in
            let added = try await withThrowingTaskGroup(of: Bool.self) { group in
                for id in 0..<24 {
                    group.addTask {
                        try await database.write { tx in
                            guard try Self.ledger.used("crates", by: "p", in: tx) < 10 else { return false }
                            try Self.add(id, in: tx)
                            return true
                        }
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(added == 10)
            #expect(try await Self.used(database, "p")["crates", default: 0] == 10)
        }
    }

    @Test("A point of a ledger costs as many steps however many rows there are")
    func cost() async throws {
        try await Self.withStock(.sqlite) { database in
            func steps(_ body: @escaping @Sendable (Transaction) throws -> Void) async throws -> Int {
                let before = database.steps
                try await database.write(body)
                return database.steps - before
            }
            let read: @Sendable (Transaction) throws -> Void = { tx in _ = try Self.ledger.used(by: "p", in: tx) }
            try await database.write { tx in try Self.add(0, in: tx) }
            let few = (try await steps(read), try await steps { tx in try Self.add(1, in: tx) })
            try await database.write { tx in
                for id in 2..<2000 { try Self.add(id, id.isMultiple(of: 2) ? "p" : "q\(id)", "u\(id)", in: tx) }
            }
            let many = (try await steps(read), try await steps { tx in try Self.add(2000, in: tx) })
            #expect(few.0 > 0 && many == few, "\(few), then \(many)")
        }
    }
}
