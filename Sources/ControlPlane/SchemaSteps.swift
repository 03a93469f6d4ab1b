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
        var lock: StateLock?
        if !isDry, isSQLite {
            try directory.create()
            lock = try StateLock(directory)
            // The database must not exist without its key.
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
