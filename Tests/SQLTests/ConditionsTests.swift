import CloudCore
import SQL
import TestSupport
import Testing

@Suite struct ConditionsTests {
    private static let schema = Schema(
        service: "test",
        [Migration(1, "item", "CREATE TABLE item (id TEXT PRIMARY KEY, size BIGINT NOT NULL, host TEXT NOT NULL)")])

    /// Returns the ids that conditions let through, among a (1, x), b (2, x), c (2, y) and d (3, y).
    private func found(
        _ kind: DatabaseKind, _ fill: @escaping @Sendable (inout Conditions) -> Void
    ) async throws -> String {
        try await TestDatabase.withDatabase(kind, schemas: [Self.schema]) { test in
            try await test.database.write { tx in
                for (id, size, host) in [("a", 1, "x"), ("b", 2, "x"), ("c", 2, "y"), ("d", 3, "y")] {
                    try tx.execute("INSERT INTO item (id, size, host) VALUES (?, ?, ?)", id, size, host)
                }
            }
            return try await test.database.read { tx in
                var conditions = Conditions()
                fill(&conditions)
                return try tx.rows(
                    "SELECT id FROM item \(conditions.clause) ORDER BY id", arguments: conditions.arguments
                )
                .map { try $0.value(at: 0) as String }.joined()
            }
        }
    }

    @Test(
        "No condition lets all rows through, and a condition without a value adds nothing",
        arguments: DatabaseKind.allCases)
    func none(kind: DatabaseKind) async throws {
        #expect(try await found(kind) { _ in } == "abcd")
        #expect(
            try await found(kind) { conditions in
                conditions.equal("host", nil as String?)
                conditions.atLeast("size", nil as Int?)
                conditions.isIn("id", nil as [String]?)
                conditions.after([(column: "id", ascending: true)], nil)
            } == "abcd")
    }

    @Test("All conditions must hold", arguments: DatabaseKind.allCases)
    func all(kind: DatabaseKind) async throws {
        #expect(
            try await found(kind) { conditions in
                conditions.equal("host", "y")
                conditions.atLeast("size", 2)
                conditions.atMost("size", 2)
            } == "c")
        #expect(try await found(kind) { $0.isIn("id", ["d", "a"]) } == "ad")
        #expect(try await found(kind) { $0.isIn("id", [] as [String]) } == "")
        #expect(
            try await found(kind) { conditions in
                conditions.add("host = ? OR size = ?", ["x".sql, 3.sql])
                conditions.atLeast("size", 2)
            } == "bd")
    }

    @Test("The next page is behind a row, in an order of mixed directions", arguments: DatabaseKind.allCases)
    func pages(kind: DatabaseKind) async throws {
        let order = [(column: "size", ascending: false), (column: "id", ascending: true)]
        #expect(try await found(kind) { $0.after(order, [2.sql, "b".sql]) } == "ac")
        #expect(Keyset.ordering(order) == "ORDER BY size DESC, id ASC")
    }
}
