import CloudCore
@testable import Compute
import Foundation
import HTTPTypes
import SQL
import TestSupport
import Testing

/// The commits that one server costs, counted and not timed. `docs/performance.md` has the same numbers.
@Suite("The commits of a server")
struct ServerCommitTests {
    private struct Cost: Equatable, CustomStringConvertible {
        var commits: Int
        var statements: Int

        var description: String { "\(commits) commits, \(statements) statements" }
    }

    private static func cost(_ database: Database, _ body: () async throws -> Void) async throws -> Cost {
        let before = (database.commits, database.statements)
        try await body()
        return Cost(commits: database.commits - before.0, statements: database.statements - before.1)
    }

    /// Returns the size of SQLite's write-ahead log in KiB. It grows with each commit up to the first checkpoint, which
    /// no test of this size reaches. PostgreSQL has other logs.
    private static func logSize(_ database: Database) async throws -> Int {
        guard database.dialect == .sqlite else { return 0 }
        let file: String? = try await database.read { tx in
            try tx.value("SELECT file FROM pragma_database_list WHERE name = 'main'")
        }
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(try #require(file))-wal")
        return (attributes[.size] as? Int ?? 0) / 1024
    }

    @Test("A server is made in five commits and deleted in four")
    func commits() async throws {
        try await ServerTests.run(hosts: 2) { client, image in
            let database = client.cloud.database
            // The first server brings what is made once.
            try await ServerTests.boot(client, image)
            let id = Box("")
            let before = try await Self.logSize(database)
            let create = try await Self.cost(database) { id.value = try await ServerTests.boot(client, image) }
            let made = try await Self.logSize(database)
            let delete = try await Self.cost(database) {
                await client.good(.delete, "/servers/\(id.value)")
                try await ServerTests.settle(client)
            }
            let gone = try await Self.logSize(database)
            #expect(create == Cost(commits: 5, statements: 87))
            #expect(delete == Cost(commits: 4, statements: 33))
            // The pages that a commit writes depend on the ids, so the sizes are bounds.
            #expect(made - before <= 320, "KiB")
            #expect(gone - made <= 260, "KiB")
        }
    }
}
