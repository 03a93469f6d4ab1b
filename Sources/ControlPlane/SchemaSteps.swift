import CloudCore
package import Logging
import SQL

/// The work of `novella migrate`: it brings a database to this binary's schema without serving from it.
package enum SchemaSteps {
    /// Carries out the pending steps, or lists them.
    ///
    /// - Parameter isDry: whether the pending steps are only listed and nothing is changed.
    ///
    /// - Returns: the steps, such as `identity 1: users`.
    ///
    /// - Throws: `StartError` if a cloud is running on the state directory, `SchemaError` if the database is newer.
    package static func run(
        _ configuration: Configuration, directory: StateDirectory, isDry: Bool, log: Logger
    ) async throws -> [String] {
        let isSQLite = configuration.database.connection == nil
        // A dry run must not leave an empty database behind.
        if isDry, isSQLite, !Files.exists(directory.database) {
            return Cloud.schemas.flatMap { schema in schema.migrations.map { name(schema, $0) } }
        }
        return try await withDatabase(configuration, directory, isDry: isDry) { database in
            isDry ? try await pending(database) : try await database.migrate(Cloud.schemas)
        }
    }

    /// Counts all usage again from the rows, where the database keeps it.
    ///
    /// - Returns: the tables of usage.
    ///
    /// - Throws: `StartError` if a cloud is running on the state directory, `SchemaError` if the database is newer.
    package static func recount(_ configuration: Configuration, directory: StateDirectory) async throws -> [String] {
        try await withDatabase(configuration, directory, isDry: false) { database in
            _ = try await database.migrate(Cloud.schemas)
            try await database.write { tx in for ledger in Cloud.ledgers { try ledger.recount(in: tx) } }
            return Cloud.ledgers.map(\.table)
        }
    }

    private static func withDatabase<Value>(
        _ configuration: Configuration, _ directory: StateDirectory, isDry: Bool,
        _ body: (Database) async throws -> Value
    ) async throws -> Value {
        var lock: StateLock?
        if !isDry, configuration.database.connection == nil {
            try directory.create()
            lock = try StateLock(directory)
            // The database must not exist without its key.
            _ = try directory.masterKey(file: configuration.state.keyFile, random: World.real.random)
        }
        defer { withExtendedLifetime(lock) {} }
        return try await CloudProcess.openDatabase(configuration, directory).closing(body)
    }

    private static func pending(_ database: Database) async throws -> [String] {
        var steps: [String] = []
        for schema in Cloud.schemas { steps += try await database.pending(schema).map { name(schema, $0) } }
        return steps
    }

    private static func name(_ schema: Schema, _ step: Migration) -> String { "\(schema.service) \(step.number): \(step.name)" }
}
