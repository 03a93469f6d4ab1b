import CloudCore
import TestSupport
import Testing

@testable import SQL

/// A copy of rows in memory, and what reading costs.
@Suite("Copies of rows in memory")
struct TopicCopyTests {
    private static let schema = Schema(
        service: "copied", [Migration(1, "words", "CREATE TABLE word (name TEXT PRIMARY KEY, text TEXT NOT NULL)")])

    /// A reader of words that counts what it reads.
    private struct Words: CopyStore {
        let topic = Topic("words")
        let loads = Box(0)
        let keys = Box<[Set<String>]>([])
        let isFresh = Box(true)

        func load(in tx: Transaction) throws -> [String: String] {
            loads.update { $0 += 1 }
            return try read(tx.rows("SELECT name, text FROM word"))
        }

        func follow(_ copy: [String: String], _ keys: Set<String>, in tx: Transaction) throws -> [String: String] {
            self.keys.update { $0.append(keys) }
            var copy = copy
            for key in keys { copy[key] = try tx.value("SELECT text FROM word WHERE name = ?", key) }
            return copy
        }

        func isCurrent(_ copy: [String: String]) -> Bool { isFresh.value }

        private func read(_ rows: [Row]) throws -> [String: String] {
            Dictionary(uniqueKeysWithValues: try rows.map { (try $0.value(at: 0), try $0.value(at: 1)) })
        }
    }

    private static func put(_ name: String, _ text: String, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO word (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text", name,
            text)
        tx.changed(Topic("words"), [name])
    }

    @Test("A copy is read once and then follows what commits have named", arguments: DatabaseKind.allCases)
    func follows(kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [Self.schema]) { test in
            let words = Words()
            let copy = TopicCopy(words, of: test.database)
            try await test.database.write { tx in try Self.put("a", "1", in: tx) }
            #expect(try await copy.latest() == ["a": "1"])
            try await test.database.write { tx in try Self.put("b", "2", in: tx) }
            try await test.database.write { tx in try Self.put("c", "3", in: tx) }
            #expect(try await copy.latest() == ["a": "1", "b": "2", "c": "3"])
            #expect(try await copy.latest().count == 3)
            #expect(words.loads.value == 1)
            #expect(words.keys.value == [["b", "c"]])
            words.isFresh.value = false
            #expect(try await copy.latest().count == 3)
            #expect(words.keys.value == [["b", "c"], []])
        }
    }

    @Test(
        "The read for all callers goes on when the request that began it was cut off", arguments: DatabaseKind.allCases
    )
    func isNobodysRequest(kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [Self.schema]) { test in
            let copy = TopicCopy(Words(), of: test.database)
            try await test.database.write { tx in for number in 1...3000 { try Self.put("\(number)", "", in: tx) } }
            let request = Budget(nil, share: .project("p"))
            request.end(as: .clientLeft)
            let found = try await Budget.$current.withValue(request) { try await copy.latest() }
            #expect(found.count == 3000)
        }
    }

    @Test(
        "A transaction sees the copy with its own state, and what it sees is not kept", arguments: DatabaseKind.allCases
    )
    func inTransaction(kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [Self.schema]) { test in
            let words = Words()
            let copy = TopicCopy(words, of: test.database)
            try await test.database.write { tx in try Self.put("a", "1", in: tx) }
            #expect(try await test.database.read { tx in try copy.latest(in: tx) } == ["a": "1"])
            #expect(try await copy.latest() == ["a": "1"])
            #expect(words.loads.value == 2)
            try await test.database.write { tx in try Self.put("a", "2", in: tx) }
            #expect(try await test.database.write { tx in try copy.latest(in: tx) } == ["a": "2"])
            #expect(words.keys.value == [["a"]])
        }
    }

    @Test("Lists of values are few statements and find each row once", arguments: DatabaseKind.allCases)
    func lists(kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [Self.schema]) { test in
            try await test.database.write { tx in for number in 0..<20 { try Self.put("w\(number)", "t", in: tx) } }
            try await test.database.read { tx in
                #expect(tx.pieces(of: []).isEmpty)
                let sizes = [1, 2, 8, 9, 64, 65, 512, 513].map { count in
                    tx.pieces(of: (0..<count).map(\.sql)).map(\.arguments.count)
                }
                let few = [[1], [8], [8], [64], [64], [512], [512], [512, 1]]
                #expect(sizes == (kind == .sqlite ? few.map { _ in [1] } : few))
                let words = ["w3", "w7", "w\"", "none", "ü"].map(\.sql)
                let found = try tx.pieces(of: words).flatMap { list, arguments in
                    try tx.rows("SELECT name FROM word WHERE name \(list) ORDER BY name", arguments: arguments).map {
                        try $0.value(at: 0) as String
                    }
                }
                #expect(found == ["w3", "w7"])
                #expect(tx.pieces(of: [1.sql, .null]).map(\.arguments.count) == [8])
            }
        }
    }

    @Test("A scan takes more steps of SQLite's machine the more rows there are; a look-up does not")
    func steps() async throws {
        try await TestDatabase.withDatabase(.sqlite, schemas: [Self.schema]) { test in
            func steps(_ sql: String) async throws -> Int {
                let before = test.database.steps
                _ = try await test.database.read { tx in try tx.rows(sql) }
                return test.database.steps - before
            }
            try await test.database.write { tx in for number in 0..<10 { try Self.put("w\(number)", "t", in: tx) } }
            let (scan, look) = (
                try await steps("SELECT text FROM word"), try await steps("SELECT text FROM word WHERE name = 'w3'")
            )
            try await test.database.write { tx in for number in 10..<1000 { try Self.put("w\(number)", "t", in: tx) } }
            #expect(try await steps("SELECT text FROM word") > 50 * scan)
            #expect(try await steps("SELECT text FROM word WHERE name = 'w3'") == look)
        }
    }
}
