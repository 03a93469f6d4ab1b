import CloudCore
import Foundation
import SQL
import TestSupport
import Testing

@Suite struct AvailabilityTests {
    @Test("close() waits for the work that has begun and refuses further work", arguments: DatabaseKind.allCases)
    func close(kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [things]) { test in
            let database = try test.reopen()
            let begun = Shared(false)
            let mayEnd = Shared(false)
            async let slow: Void = database.write { tx in
                begun.change { $0 = true }
                while !mayEnd.value { usleep(1000) }
                try tx.execute("INSERT INTO thing (id) VALUES ('slow')")
            }
            try await eventually { begun.value }
            let closed = Shared(false)
            async let closing: Void = {
                await database.close()
                closed.change { $0 = true }
            }()
            // A refused read shows that closing has begun. (A write might still be accepted, and would wait for the
            // slow one.)
            try await eventually { await Refusal.of { try await database.ids() } == .unavailable }
            #expect(!closed.value)
            mayEnd.change { $0 = true }
            try await slow
            await closing
            #expect(await Refusal.of { try await database.add("late") } == .unavailable)
            let ids = try await test.database.ids()
            #expect(ids == ["slow"])
            await database.close()
        }
    }

    @Test("After close() no connection is open")
    func connectionsEnd() async throws {
        try await TestDatabase.withDatabase(.sqlite, schemas: [things]) { test in
            try await test.database.add("x")
            #expect(FileManager.default.fileExists(atPath: test.location + "-wal"))
            await test.database.close()
            // SQLite removes the write-ahead log with its last connection.
            #expect(!FileManager.default.fileExists(atPath: test.location + "-wal"))
            #expect(try await test.reopen().ids() == ["x"])
        }
    }

    @Test("A lost PostgreSQL session is one transient error, and then a new session is opened")
    func lostSession() async throws {
        try await TestDatabase.withDatabase(.postgreSQL, schemas: [things]) { test in
            // One session is enough: another one of its own would be terminated with the others.
            let killer = try Database.postgreSQL(test.location, connections: 1)
            let database = test.database
            try await database.add("before")
            for _ in 0..<3 {
                try await terminateOthers(killer)
                // Each session of the pool may be lost at most once.
                var losses = 0
                for number in 0..<12 {
                    let refusal = await Refusal.of { try await database.add("\(losses)-\(number)-\(UInt32.random(in: 0 ... .max))") }
                    if refusal == .unavailable { losses += 1 } else { #expect(refusal == .none) }
                }
                #expect(losses <= 4)
            }
            #expect(try await database.ids().contains("before"))
            await killer.close()
        }
    }

    @Test("A transaction whose session is lost leaves nothing")
    func lostInside() async throws {
        try await TestDatabase.withDatabase(.postgreSQL, schemas: [things]) { test in
            let refusal = await Refusal.of {
                try await test.database.write { tx in
                    try tx.execute("INSERT INTO thing (id) VALUES ('early')")
                    _ = try? tx.rows("SELECT pg_terminate_backend(pg_backend_pid())")
                    _ = try? tx.execute("INSERT INTO thing (id) VALUES ('late')")
                }
            }
            #expect(refusal == .unavailable)
            let ids = try await test.reopen().ids()
            #expect(ids == [])
            try await eventually { await Refusal.of { try await test.database.add("again") } == .none }
        }
    }

    @Test("An unreachable PostgreSQL is a transient error")
    func nobodyThere() async throws {
        let error = #expect(throws: SQLError.self) {
            _ = try Database.postgreSQL("host=/nonexistent dbname=x connect_timeout=1", connections: 1)
        }
        #expect(error?.isTransient == true)
    }

    @Test("A file that cannot be opened or is not a database is refused when it is opened")
    func noDatabase() async throws {
        #expect(throws: SQLError.self) { _ = try Database.sqlite(path: "/nonexistent/folder/x.db") }
        let path = FileManager.default.temporaryDirectory.appending(path: "novella-test-\(UUID().uuidString)").path
        try Data(repeating: 7, count: 8192).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(throws: SQLError.self) { _ = try Database.sqlite(path: path) }
    }

    private func terminateOthers(_ killer: Database) async throws {
        _ = try await killer.write { tx in
            try tx.rows(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
                """)
        }
    }
}
