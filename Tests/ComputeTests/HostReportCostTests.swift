import CloudCore
import ControlPlane
import HTTPTypes
import SQL
import TestSupport
import Testing

/// The cost of what hosts report, counted and not timed.
@Suite("The cost of hosts' reports")
struct HostReportCostTests {
    /// Returns the commits and the statements of two looks at all hosts: as many as hosts report in a minute.
    private static func minute(_ client: ComputeClient) async throws -> (commits: Int, statements: Int) {
        let database = client.cloud.database
        let before = (database.commits, database.statements)
        for _ in 0..<2 {
            client.cloud.clock.advance(by: .seconds(30))
            try await client.cloud.cloud.look()
        }
        return (database.commits - before.0, database.statements - before.1)
    }

    @Test("Hosts that report the same again cost nothing, and a few statements for hundreds of hosts after a change")
    func minute() async throws {
        try await ServerTests.run(hosts: 500) { client, image in
            let id = try await ServerTests.boot(client, image)
            try await ServerTests.boot(client, image)
            // A young server is looked at again: a report may be older than its last change.
            for _ in 0..<3 { _ = try await Self.minute(client) }
            #expect(try await Self.minute(client) == (commits: 0, statements: 0))
            await client.good(.put, "/servers/\(id)", ["server": ["name": "two"]])
            let after = try await Self.minute(client)
            #expect(after.commits == 0 && after.statements > 0 && after.statements < 10, "\(after)")
            #expect(try await Self.minute(client) == (commits: 0, statements: 0))
        }
    }
}
