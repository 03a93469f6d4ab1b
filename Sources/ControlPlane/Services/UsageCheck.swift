package import SQL

/// The check of `novella doctor` on the usage that the database keeps: it counts all rows again.
package enum UsageCheck {
    private static let name = "usage"

    /// Compares the kept usage with a fresh count. It changes nothing.
    package static func run(_ configuration: Configuration, _ directory: StateDirectory) async -> HostCheck.Finding {
        if configuration.database.connection == nil, !Files.exists(directory.database) {
            return HostCheck.Finding(name: name, verdict: .good, text: "there is no database yet")
        }
        do {
            return try await CloudProcess.openDatabase(configuration, directory).closing { try await run($0) }
        } catch {
            return HostCheck.Finding(name: name, verdict: .notice, text: "not counted: \(error)")
        }
    }

    /// Compares the kept usage of an open database.
    package static func run(_ database: Database) async throws -> HostCheck.Finding {
        for schema in Cloud.schemas where try await !database.pending(schema).isEmpty {
            return HostCheck.Finding(
                name: name, verdict: .notice,
                text: "not counted: the schema is older than this version. Start `novella migrate`.")
        }
        let differences = try await database.read(.long) { tx in
            try Cloud.ledgers.flatMap { ledger in try ledger.differences(in: tx).map { text($0, ledger) } }
        }
        guard let first = differences.first else {
            return HostCheck.Finding(name: name, verdict: .good, text: "as many as there are rows")
        }
        return HostCheck.Finding(
            name: name, verdict: .lacking,
            text:
                """
                \(differences.count) kept otherwise than counted, such as \(first). \
                Stop the cloud and start `novella migrate --recount`.
                """
        )
    }

    private static func text(_ difference: Ledger.Difference, _ ledger: Ledger) -> String {
        let owner = [("project", difference.project), ("user", difference.user)].filter { !$0.1.isEmpty }.map {
            "\($0.0) \($0.1)"
        }
        return
            """
            \(ledger.table): \(difference.resource) of \(owner.joined(separator: ", ")), kept \(difference.kept), \
            counted \(difference.counted)
            """
    }
}
