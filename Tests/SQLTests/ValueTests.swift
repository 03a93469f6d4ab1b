import CloudCore
import SQL
import TestSupport
import Testing

@Suite struct ValueTests {
    /// Writes a value into a column, reads it back, and finds the row by it.
    private func roundTrip<Value: SQLConvertible & Equatable>(
        _ column: String, _ value: Value, _ kind: DatabaseKind, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await withThings(kind) { database in try await roundTrip(column, value, in: database, sourceLocation: sourceLocation) }
    }

    private func roundTrip<Value: SQLConvertible & Equatable>(
        _ column: String, _ value: Value, in database: Database, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let (returned, found) = try await database.write { tx in
            try tx.execute("DELETE FROM thing")
            let returned: Value? = try tx.value("INSERT INTO thing (id, \(column)) VALUES ('x', ?) RETURNING \(column)", value)
            let found: Int? = try tx.value("SELECT count(*) FROM thing WHERE \(column) = ?", value)
            return (returned, found)
        }
        let read: Value? = try await database.read { tx in try tx.value("SELECT \(column) FROM thing") }
        #expect(returned == value, sourceLocation: sourceLocation)
        #expect(read == value, sourceLocation: sourceLocation)
        #expect(found == 1, sourceLocation: sourceLocation)
    }

    @Test("Any text reads back unchanged", arguments: DatabaseKind.allCases)
    func text(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            for text in ["", " ", "it's \"quoted\"", "?", "$1", "\\", "\\x41", "a\nb\tc\r", "Grüße, 世界, 🜂👩‍👩‍👧", "\u{1}\u{7f}", "NULL"] {
                try await roundTrip("name", text, in: database)
            }
        }
        // The column has no index, since PostgreSQL's indexes hold at most 2,704 bytes.
        try await TestDatabase.withDatabase(
            kind, schemas: [Schema(service: "test", [Migration(1, "t", "CREATE TABLE thing (id TEXT, t TEXT)")])]
        ) { test in
            try await roundTrip("t", String(repeating: "long ", count: 100_000), in: test.database)
        }
    }

    @Test(
        "Text is compared by bytes, so other encodings of a letter are other values", arguments: DatabaseKind.allCases)
    func bytewise(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            try await database.write { tx in
                for (id, name) in [("1", "\u{e9}"), ("2", "e\u{301}"), ("3", "E"), ("4", "e"), ("5", "Z")] {
                    try tx.execute("INSERT INTO thing (id, name) VALUES (?, ?)", id, name)
                }
            }
            let order: [String] = try await database.read { tx in
                try tx.rows("SELECT id FROM thing ORDER BY name").map { try $0["id"] }
            }
            #expect(order == ["3", "5", "4", "2", "1"])
        }
    }

    @Test(
        "A NUL in a text becomes U+FFFD on both databases, since PostgreSQL cannot store it",
        arguments: DatabaseKind.allCases)
    func nul(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            try await database.write { tx in try tx.execute("INSERT INTO thing (id, name) VALUES ('x', ?)", "a\0b") }
            let (stored, found): (String?, Int?) = try await database.read { tx in
                (try tx.value("SELECT name FROM thing"), try tx.value("SELECT count(*) FROM thing WHERE name = ?", "a\0b"))
            }
            #expect(stored == "a\u{fffd}b")
            #expect(found == 1)
        }
    }

    @Test("Integers have 64 bits", arguments: DatabaseKind.allCases)
    func integers(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            for value: Int64 in [0, 1, Int64(Int32.max) + 1, 1 << 53 + 1, .max] {
                try await roundTrip("size", value, in: database)
            }
        }
        try await TestDatabase.withDatabase(
            kind, schemas: [Schema(service: "test", [Migration(1, "n", "CREATE TABLE thing (id TEXT, n INTEGER)")])]
        ) { test in
            for value: Int64 in [-1, .min] { try await roundTrip("n", value, in: test.database) }
        }
    }

    @Test("Doubles read back exactly", arguments: DatabaseKind.allCases)
    func doubles(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            for value in [0.0, 0.1, 1.0, -2.5, 1.0 / 3, 16.000001, 1e300, Double.leastNonzeroMagnitude, Double.pi] {
                try await roundTrip("ratio", value, in: database)
            }
        }
    }

    @Test("A blob can contain every byte", arguments: DatabaseKind.allCases)
    func blobs(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            for bytes: [UInt8] in [[], [0], Array(0...255), Array(repeating: 0xff, count: 100_000), Array("\\x00".utf8)] {
                try await roundTrip("bytes", bytes, in: database)
            }
        }
    }

    @Test("Ids, times, Booleans and JSON can be stored and read", arguments: DatabaseKind.allCases)
    func types(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            try await roundTrip("name", ID<Kind.User>("0f"), in: database)
            try await roundTrip("size", Timestamp(microseconds: 1_795_233_143_000_001), in: database)
            try await roundTrip("size", true, in: database)
            try await roundTrip("size", false, in: database)
            let json: JSON = ["b": [1, 2.5, nil, "\0 é \" '"], "a": [:], "n": -9_007_199_254_740_993]
            try await roundTrip("name", json, in: database)
            let object: JSONObject = ["z": 1, "a": 2]
            try await roundTrip("name", object, in: database)
        }
    }

    @Test("NULL is read as nil, and nil is stored as NULL", arguments: DatabaseKind.allCases)
    func null(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            let row = try await database.write { tx in
                try tx.row("INSERT INTO thing (id, name) VALUES ('x', ?) RETURNING id, name", String?.none)
            }
            let found = try #require(row)
            #expect(try found["name"] as String? == nil)
            #expect(try found["id"] as String? == "x")
            let refusal = await Refusal.of { try found["name"] as String }
            #expect(refusal == .misuse)
        }
    }

    @Test("Counts and sums are read as integers", arguments: DatabaseKind.allCases)
    func aggregates(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            try await database.add("a", size: 3)
            try await database.add("b", size: 4)
            let row = try await database.read { tx in
                try tx.row("SELECT count(*) AS c, sum(size) AS s, max(size) AS m, coalesce(sum(ratio), 0.5) AS r FROM thing")
            }
            let found = try #require(row)
            #expect(try found["c"] as Int == 2)
            #expect(try found["s"] as Int == 7)
            #expect(try found["m"] as Int == 4)
            #expect(try found["r"] as Double == 0.5)
        }
    }

    @Test("A ? is an argument only outside quotes and comments", arguments: DatabaseKind.allCases)
    func placeholders(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            try await database.add("it's ?")
            try await database.add("other")
            let row = try await database.read { tx in
                try tx.row(
                    """
                    SELECT id AS "what?", 'it''s ?' AS quoted -- whose? the thing's
                    FROM thing /* is it? it's */ WHERE id = ? AND id <> '?' AND size < ?
                    """, "it's ?", 5)
            }
            let found = try #require(row)
            #expect(try found["what?"] as String == "it's ?")
            #expect(try found["quoted"] as String == "it's ?")
        }
    }

    @Test("A missing column and a wrong type are reported as misuse", arguments: DatabaseKind.allCases)
    func wrongColumns(kind: DatabaseKind) async throws {
        try await withThings(kind) { database in
            try await database.add("x")
            let row = try #require(try await database.read { tx in try tx.row("SELECT id FROM thing") })
            #expect(await Refusal.of { try row["nothing"] as String } == .misuse)
            #expect(await Refusal.of { try row["id"] as Int } == .misuse)
        }
    }
}
