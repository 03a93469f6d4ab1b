import CloudCore
import SQL

/// The migrations of servers between hosts, as an operator sees them.
struct MigrationService: Sendable {
    let context: ComputeContext

    /// Returns the migrations that the filter selects, the newest first. The caller's rights were checked before.
    ///
    /// - Parameter page: the page; nil for all migrations.
    func list(_ filter: MigrationStore.Filter, _ page: Page?) async throws -> [ServerMigration] {
        guard let page else { return try await context.readLong { tx in try MigrationStore().list(filter, in: tx) } }
        return try await context.read { tx in try MigrationStore().page(filter, page, in: tx) }
    }
}
