import SQL
import TestSupport
import Testing

/// Tests of the fixture on which all other tests of rows depend.
@Suite struct FixtureTests {
    @Test("Each test has its own database with its schemas, and can open it twice", arguments: DatabaseKind.allCases)
    func fresh(kind: DatabaseKind) async throws {
        let schema = Schema(service: "test", [Migration(1, "things", "CREATE TABLE thing (id TEXT PRIMARY KEY)")])
        for _ in 0..<2 {
            try await TestDatabase.withDatabase(kind, schemas: [schema]) { test in
                try await test.database.write { tx in try tx.execute("INSERT INTO thing (id) VALUES (?)", "one") }
                let count: Int? = try await test.reopen().read { tx in try tx.value("SELECT count(*) FROM thing") }
                #expect(count == 1)
            }
        }
    }
}
