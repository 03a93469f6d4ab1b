import CloudCore
import SQL
import TestSupport
import Testing

@Suite("A full disk") struct FullDiskTests {
    /// Limits the growth of the database's file to the given number of pages, or removes the limit.
    private func limit(_ database: Database, to more: Int?) async throws {
        try await database.write { tx in
            let count: Int = try tx.value("PRAGMA page_count") ?? 0
            let _: Int? = try tx.value("PRAGMA max_page_count = \(more.map { count + $0 } ?? 1_000_000)")
        }
    }

    @Test("On a full disk writes fail with a time to retry and reads go on; writes succeed again once there is room")
    func full() async throws {
        try await withThings(.sqlite) { database in
            try await database.add("before")
            #expect(!database.isFull)
            try await limit(database, to: 2)
            let large = String(repeating: "x", count: 200_000)
            func addLarge(_ id: String) async -> Refusal {
                await Refusal.of { try await database.write { tx in try tx.execute("INSERT INTO thing (id, name) VALUES (?, ?)", id, large + id) } }
            }
            #expect(await addLarge("a") == .full)
            #expect(database.isFull)
            let all = await withTaskGroup(of: Refusal.self) { group in
                for number in 0..<8 { group.addTask { await addLarge("many-\(number)") } }
                return await group.reduce(into: [Refusal]()) { $0.append($1) }
            }
            #expect(all == Array(repeating: .full, count: 8), "also those that would have been committed together")
            #expect(try await database.ids() == ["before"])
            try await limit(database, to: nil)
            #expect(await addLarge("b") == .none)
            #expect(!database.isFull)
            #expect(try await database.ids() == ["b", "before"])
        }
    }

    @Test("PostgreSQL's full disk is reported in the same way, and its session goes on")
    func fullElsewhere() async throws {
        try await withThings(.postgreSQL) { database in
            let refused = await Refusal.of {
                try await database.write { tx in try tx.execute("DO $$ BEGIN RAISE SQLSTATE '53100'; END $$") }
            }
            #expect(refused == .full)
            #expect(database.isFull)
            try await database.add("after")
            #expect(!database.isFull)
        }
    }

    @Test("The text of a statement in an error is shortened", arguments: DatabaseKind.allCases)
    func briefStatements(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            let columns = Array(repeating: "nothing", count: 20_000).joined(separator: ", ")
            let refused = await Refusal.of { try await database.read { tx in try tx.rows("SELECT \(columns) FROM thing") } }
            #expect(refused != .none)
            var text = ""
            do {
                _ = try await database.read { tx in try tx.rows("SELECT \(columns) FROM thing") }
            } catch {
                text = "\(error)"
            }
            #expect(text.contains("SELECT nothing") && text.utf8.count < 4096, "\(text.utf8.count)")
        }
    }
}
