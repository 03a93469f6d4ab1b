import SQL
import TestSupport
import Testing

@Suite struct TextRangeTests {
    private static let texts = [
        "", "a", "ab", "abc", "ac", "b", "\u{d7ff}", "\u{d7ff}x", "\u{e000}", "\u{10ffff}", "\u{10ffff}a",
        "z\u{10ffff}b", "{",
    ]

    @Test("A range lets through the texts with its beginning, or the one text", arguments: DatabaseKind.allCases)
    func ranges(kind: DatabaseKind) async throws {
        let schema = Schema(service: "test", [Migration(1, "word", "CREATE TABLE word (name TEXT PRIMARY KEY)")])
        try await TestDatabase.withDatabase(kind, schemas: [schema]) { test in
            try await test.database.write { tx in
                for text in Self.texts { try tx.execute("INSERT INTO word (name) VALUES (?)", text) }
            }
            func found(_ range: TextRange?) async throws -> Set<String> {
                try await test.database.read { tx in
                    var conditions = Conditions()
                    conditions.within("name", range)
                    return Set(
                        try tx.rows("SELECT name FROM word \(conditions.clause)", arguments: conditions.arguments).map {
                            try $0.value(at: 0)
                        })
                }
            }
            #expect(try await found(nil) == Set(Self.texts))
            for text in Self.texts {
                #expect(try await found(.exactly(text)) == [text])
                let expected = Self.texts.filter { $0.unicodeScalars.starts(with: text.unicodeScalars) }
                #expect(try await found(.beginning(text)) == Set(expected), "\(text)")
            }
            #expect(try await found(.exactly("none")) == [])
        }
    }
}
