import CloudCore
import SQL

/// The usage of projects.
struct UsageService: Sendable {
    let context: ComputeContext

    var now: Timestamp { context.world.now }

    /// Returns the servers that existed in a period, in the order in which they were launched. The caller's rights were
    /// checked before.
    ///
    /// - Parameter page: the page; nil for all servers.
    func records(_ period: UsageStore.Period, _ page: Page?) async throws -> [UsageRecord] {
        try await context.readLong { tx in try UsageStore().list(period, page, in: tx) }
    }
}
