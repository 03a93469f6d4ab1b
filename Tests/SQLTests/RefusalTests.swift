import CloudCore
import SQL
import TestSupport
import Testing

/// Tests that both databases refuse the same things with the same errors.
@Suite struct RefusalTests {
    @Test("Each violated constraint has its own error", arguments: DatabaseKind.allCases)
    func constraints(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            try await database.write { tx in
                try tx.execute("INSERT INTO thing (id, name) VALUES ('a', 'n')")
                try tx.execute("INSERT INTO part (id, thing_id) VALUES ('p', 'a')")
            }
            func refusal(_ sql: String) async -> Refusal {
                await Refusal.of { try await database.write { tx in try tx.execute(sql) } }
            }
            #expect(await refusal("INSERT INTO thing (id) VALUES ('a')") == .unique)
            #expect(await refusal("INSERT INTO thing (id, name) VALUES ('b', 'n')") == .unique)
            #expect(await refusal("INSERT INTO part (id, thing_id) VALUES ('q', 'nowhere')") == .foreignKey)
            #expect(await refusal("DELETE FROM thing WHERE id = 'a'") == .foreignKey)
            #expect(await refusal("INSERT INTO thing (id, size) VALUES ('b', -1)") == .check)
            #expect(await refusal("INSERT INTO thing (id, size) VALUES ('b', NULL)") == .check)
            #expect(try await database.ids() == ["a"])
        }
    }

    @Test("Wrong SQL is reported as misuse", arguments: DatabaseKind.allCases)
    func misuse(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            for sql in ["SELEC 1", "SELECT nothing FROM thing", "SELECT 1 FROM nowhere", "DELETE FROM thing WHERE id = ?"] {
                #expect(await Refusal.of { try await database.write { tx in try tx.execute(sql) } } == .misuse, "\(sql)")
            }
            try await database.add("after")
        }
    }

    @Test("A write within a read transaction is refused, in every form", arguments: DatabaseKind.allCases)
    func writeInRead(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            let insert = "INSERT INTO thing (id) VALUES ('x')"
            #expect(await Refusal.of { _ = try await database.read { tx in try tx.execute(insert) } } == .misuse)
            #expect(await Refusal.of { _ = try await database.read { tx in try tx.rows("\(insert) RETURNING id") } } == .misuse)
            #expect(await Refusal.of { _ = try await database.read { tx in try tx.script(insert) } } == .misuse)
            #expect(try await database.ids() == [])
            try await database.add("after")
        }
    }

    @Test("ON CONFLICT DO NOTHING is not an error and counts no row", arguments: DatabaseKind.allCases)
    func onConflict(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            let counts = try await database.write { tx in
                try (0..<2).map { _ in try tx.execute("INSERT INTO thing (id) VALUES ('a') ON CONFLICT DO NOTHING") }
            }
            #expect(counts == [1, 0])
        }
    }

    @Test("A transaction fails after its first error, even if the closure catches it", arguments: DatabaseKind.allCases)
    func swallowed(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            try await database.add("a")
            let refusal = await Refusal.of {
                try await database.write { tx in
                    try tx.execute("INSERT INTO thing (id) VALUES ('before')")
                    _ = try? tx.execute("INSERT INTO thing (id) VALUES ('a')")
                    _ = try? tx.execute("INSERT INTO thing (id) VALUES ('after')")
                }
            }
            #expect(refusal == .unique)
            #expect(try await database.ids() == ["a"])
        }
    }
}
