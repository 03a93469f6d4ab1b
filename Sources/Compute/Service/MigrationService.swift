import CloudCore
import SQL

/// Servers' migrations from host to host, as an operator sees them.
struct MigrationService: Sendable {
    let context: ComputeContext

    /// Returns all migrations of a filter, the newest first. Whether the caller may see them was asked before.
    func list(_ filter: MigrationStore.Filter) async throws -> [ServerMigration] {
        try await context.read { tx in try MigrationStore().list(filter, in: tx) }
    }
}
