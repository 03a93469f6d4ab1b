import SQL
import TestSupport
import Testing

@Suite struct RevisionTests {
    private let topic = Topic("rules")

    @Test("A revision changes with each commit that names its topic, and with nothing else", arguments: DatabaseKind.allCases)
    func changes(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            var seen = [try await database.revision(of: topic)]
            for number in 0..<5 {
                try await database.write { [topic] tx in
                    tx.changed(topic)
                    tx.changed(topic)
                    try tx.execute("INSERT INTO thing (id) VALUES (?)", "\(number)")
                }
                seen.append(try await database.revision(of: topic))
            }
            #expect(Set(seen).count == 6)

            try await database.add("unmarked")
            try await database.write { tx in tx.changed(Topic("another")) }
            _ = try? await database.write { [topic] tx in
                tx.changed(topic)
                throw Deliberate()
            }
            #expect(try await database.revision(of: topic) == seen.last)
        }
    }

    @Test("On PostgreSQL another process sees the revision change")
    func acrossProcesses() async throws {
        try await TestDatabase.withDatabase(.postgreSQL, schemas: [things]) { test in
            let other = try test.reopen()
            let before = try await other.revision(of: topic)
            try await test.database.write { [topic] tx in tx.changed(topic) }
            let after = try await other.revision(of: topic)
            #expect(before != after)
            #expect(try await test.database.revision(of: topic) == after)
        }
    }

    @Test("No revision comes twice while the log of changes is cut off behind many writers", arguments: DatabaseKind.allCases)
    func neverTwice(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            var seen = [try await database.revision(of: topic)]
            for _ in 0..<30 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<60 {
                        // A second topic takes numbers away, so that this one's are sparse.
                        let topic = number % 4 == 0 ? topic : Topic("another")
                        group.addTask { try await database.write { tx in tx.changed(topic) } }
                    }
                    try await group.waitForAll()
                }
                seen.append(try await database.revision(of: topic))
            }
            #expect(Set(seen).count == seen.count)
            if kind == .postgreSQL {
                let rows: Int? = try await database.read { tx in try tx.value("SELECT count(*) FROM sql_change") }
                #expect(try #require(rows) < 1800, "the log is cut off")
            }
        }
    }
}
