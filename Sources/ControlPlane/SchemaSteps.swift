import CloudCore
package import Logging
import SQL

/// Brings a database to this binary's schema without serving from it.
package enum SchemaSteps {
    /// - Parameter isDry: says what is pending and changes nothing.
    /// - Returns: the steps, as `identity 1: users`.
    /// - Throws: `StartError` when a cloud is running on the state directory, `SchemaError` when the database is newer.
    package static func run(
        _ configuration: Configuration, directory: StateDirectory, isDry: Bool, log: Logger
    ) async throws -> [String] {
        let isSQLite = configuration.database.connection == nil
        // Looking must not leave an empty database behind.
        if isDry, isSQLite, !Files.exists(directory.database) {
            return Cloud.schemas.flatMap { schema in schema.migrations.map { name(schema, $0) } }
        }
        var lock: StateLock?
        if !isDry, isSQLite {
            try directory.create()
            lock = try StateLock(directory)
            // The database must not be there without its key.
            _ = try directory.masterKey(file: configuration.state.keyFile, random: World.real.random)
        }
        defer { withExtendedLifetime(lock) {} }
        let database = try CloudProcess.openDatabase(configuration, directory)
        do {
            let steps = isDry ? try await pending(database) : try await database.migrate(Cloud.schemas)
            await database.close()
            return steps
        } catch {
            await database.close()
            throw error
        }
    }

    private static func pending(_ database: Database) async throws -> [String] {
        var steps: [String] = []
        for schema in Cloud.schemas { steps += try await database.pending(schema).map { name(schema, $0) } }
        return steps
    }

    private static func name(_ schema: Schema, _ step: Migration) -> String { "\(schema.service) \(step.number): \(step.name)" }
}
