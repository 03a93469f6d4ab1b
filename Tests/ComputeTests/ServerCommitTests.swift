import CloudCore
@testable import Compute
import HTTPTypes
import SQL
import TestSupport
import Testing

/// The commits that one server costs, counted and not timed. `docs/performance.md` has the same numbers with bytes.
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

    @Test("A server is made in 13 commits and deleted in eight")
    func commits() async throws {
        try await ServerTests.run(hosts: 2) { client, image in
            let database = client.cloud.database
            // The first server brings what is made once.
            try await ServerTests.boot(client, image)
            let id = Box("")
            let create = try await Self.cost(database) { id.value = try await ServerTests.boot(client, image) }
            let delete = try await Self.cost(database) {
                await client.good(.delete, "/servers/\(id.value)")
                try await ServerTests.settle(client)
            }
            #expect(create == Cost(commits: 13, statements: 103))
            #expect(delete == Cost(commits: 8, statements: 42))
        }
    }
}
