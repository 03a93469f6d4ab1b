import CloudCore
import SQL

/// The migrations of servers between hosts, as an operator sees them.
struct MigrationService: Sendable {
    let context: ComputeContext

    /// Returns the migrations that the filter selects, the newest first. The caller's rights were checked before.
    func list(_ filter: MigrationStore.Filter) async throws -> [ServerMigration] {
        try await context.read { tx in try MigrationStore().list(filter, in: tx) }
    }
}
