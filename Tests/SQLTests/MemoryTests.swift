import SQL
import TestSupport
import Testing

@Suite("Memory of a database")
struct MemoryTests {
    private static let schema = Schema(
        service: "kept", [Migration(1, "words", "CREATE TABLE word (name TEXT PRIMARY KEY, text TEXT NOT NULL)")])

    @Test("Memory is released while others read and write, and all goes on", arguments: DatabaseKind.allCases)
    func goesOn(kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [Self.schema]) { test in
            let database = test.database
            try await withThrowingDiscardingTaskGroup { group in
                for number in 1...40 {
                    group.addTask {
                        try await database.write { tx in
                            try tx.execute("INSERT INTO word (name, text) VALUES (?, '')", "\(number)")
                        }
                        let found: String? = try await database.read { tx in
                            try tx.value("SELECT text FROM word WHERE name = ?", "\(number)")
                        }
                        #expect(found == "")
                    }
                    if number.isMultiple(of: 4) { group.addTask { try await database.releaseMemory() } }
                }
            }
            let count: Int64? = try await database.read { tx in try tx.value("SELECT count(*) FROM word") }
            #expect(count == 40)
        }
    }
}
