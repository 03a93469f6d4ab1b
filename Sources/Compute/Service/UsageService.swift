import CloudCore
import SQL

/// The usage of projects.
struct UsageService: Sendable {
    let context: ComputeContext

    var now: Timestamp { context.world.now }

    /// Returns the servers that existed in a period, in the order in which they were launched. The caller's rights were
    /// checked before.
    ///
    /// - Parameter project: the project; nil for all.
    func records(from start: Timestamp, to end: Timestamp, project: String?) async throws -> [UsageRecord] {
        try await context.readLong { tx in try UsageStore().list(from: start, to: end, project: project, in: tx) }
    }
}
