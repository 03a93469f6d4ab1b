import CloudCore
import SQL
import TestSupport
import Testing

@Suite struct MigrationTests {
    private static let first = Migration(1, "boxes", "CREATE TABLE box (id TEXT PRIMARY KEY, size INTEGER, seal BLOB)")
    private static let second = Migration(2, "labels", "ALTER TABLE box ADD COLUMN label TEXT; CREATE INDEX box_label ON box (label);")
    private let one = Schema(service: "boxes", [first])
    private let two = Schema(service: "boxes", [first, second])
    private let other = Schema(service: "shelves", [Migration(1, "shelves", "CREATE TABLE shelf (id TEXT PRIMARY KEY)")])

    @Test("Migrations are applied in order and once, and later only new ones", arguments: DatabaseKind.allCases)
    func applied(kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind) { test in
            #expect(try await test.database.migrate([one, other]) == ["boxes 1: boxes", "shelves 1: shelves"])
            #expect(try await test.database.migrate([one, other]) == [])
            #expect(try await test.database.migrate([two, other]) == ["boxes 2: labels"])
            try await test.database.write { tx in
                try tx.execute("INSERT INTO box (id, size, seal, label) VALUES ('a', ?, ?, 'l')", Int64.max, [0, 1] as [UInt8])
            }
            #expect(try await test.reopen().migrate([two, other]) == [])
        }
    }

    @Test("A database of a newer release is refused before anything is changed", arguments: DatabaseKind.allCases)
    func newer(kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [two]) { test in
            let error = await #expect(throws: SchemaError.self) { try await test.database.migrate([other, one]) }
            #expect(error?.description.contains("step 2 of the boxes schema") == true)
            let pending = try await test.database.pending(other)
            #expect(pending.count == 1)
        }
    }

    @Test("A migration that was edited after it was applied is refused", arguments: DatabaseKind.allCases)
    func edited(kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [one]) { test in
            let edited = Schema(service: "boxes", [Migration(1, "boxes", Self.first.sql + " ")])
            let error = await #expect(throws: SchemaError.self) { try await test.database.migrate([edited]) }
            #expect(error?.description.contains("was edited") == true)
        }
    }

    @Test("A failed migration leaves nothing and can be tried again", arguments: DatabaseKind.allCases)
    func failing(kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [one]) { test in
            let broken = Schema(
                service: "boxes", [Self.first, Migration(2, "labels", "CREATE TABLE lid (id TEXT); CREATE TABLE box (id TEXT);")])
            #expect(await Refusal.of { _ = try await test.database.migrate([broken]) } == .misuse)
            let done = try await test.database.migrate([two])
            #expect(done == ["boxes 2: labels"])
            #expect(await Refusal.of { _ = try await test.database.read { tx in try tx.rows("SELECT * FROM lid") } } == .misuse)
        }
    }

    @Test("Processes that migrate at once apply each migration once", arguments: DatabaseKind.allCases)
    func atOnce(kind: DatabaseKind) async throws {
        for _ in 0..<3 {
            try await TestDatabase.withDatabase(kind) { test in
                let databases = [test.database] + (try (0..<3).map { _ in try test.reopen() })
                let done = try await withThrowingTaskGroup(of: [String].self) { group in
                    for database in databases { group.addTask { try await database.migrate([two, other]) } }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
                #expect(done.sorted() == ["boxes 1: boxes", "boxes 2: labels", "shelves 1: shelves"])
            }
        }
    }

    @Test("A step may have statements of its own for each database", arguments: DatabaseKind.allCases)
    func dialects(kind: DatabaseKind) async throws {
        let script = SchemaScript("CREATE TABLE note (text TEXT);")
            + SchemaScript(
                sqlite: "INSERT INTO note (text) VALUES ('sqlite');",
                postgreSQL: "INSERT INTO note (text) VALUES ('postgreSQL');")
        let schema = Schema(service: "notes", [Migration(1, "notes", script)])
        try await TestDatabase.withDatabase(kind, schemas: [schema]) { test in
            let text: String? = try await test.database.read { tx in try tx.value("SELECT text FROM note") }
            #expect(text == (kind == .sqlite ? "sqlite" : "postgreSQL"))
            let edited = SchemaScript(sqlite: script.sqlite, postgreSQL: script.postgreSQL + " ")
            await #expect(throws: SchemaError.self) {
                _ = try await test.database.migrate([Schema(service: "notes", [Migration(1, "notes", edited)])])
            }
        }
    }

    @Test(
        "A trigger of a step runs with each change, and for an update only if a value differs",
        arguments: DatabaseKind.allCases)
    func triggers(kind: DatabaseKind) async throws {
        let note = SchemaScript("INSERT INTO note (text) VALUES (coalesce(NEW.label, 'none'));")
        let script = SchemaScript("CREATE TABLE note (text TEXT); CREATE TABLE lid (id INTEGER, label TEXT);")
            + .trigger("lid_made", after: .insert, on: "lid", note)
            + .trigger("lid_changed", after: .update(["label"]), on: "lid", note)
            + .trigger("lid_gone", after: .delete, on: "lid", SchemaScript("INSERT INTO note (text) VALUES ('gone');"))
        try await TestDatabase.withDatabase(kind, schemas: [Schema(service: "lids", [Migration(1, "lids", script)])]) {
            test in
            try await test.database.write { tx in
                try tx.execute("INSERT INTO lid (id) VALUES (1)")
                try tx.execute("UPDATE lid SET label = NULL, id = 2")
                try tx.execute("UPDATE lid SET label = 'a'")
                try tx.execute("UPDATE lid SET label = 'a'")
                try tx.execute("UPDATE lid SET label = NULL")
                try tx.execute("DELETE FROM lid")
            }
            let notes: [String] = try await test.database.read { tx in
                try tx.rows("SELECT text FROM note").map { try $0.value(at: 0) }
            }
            #expect(notes == ["none", "a", "none", "gone"])
        }
    }

    @Test("The hash of a migration is the hash of its text")
    func hash() {
        // FNV-1a of no bytes is its offset basis, and its hash of "a" is a published vector.
        #expect(Migration(1, "", "").hash == "cbf29ce484222325")
        #expect(Migration(1, "", "a").hash == "af63dc4c8601ec8c")
    }
}
