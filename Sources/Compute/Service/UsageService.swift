import CloudCore
import SQL

/// The usage of projects.
struct UsageService: Sendable {
    let context: ComputeContext

    var now: Timestamp { context.world.now }

    /// Returns what servers there were in a period, in the order in which they were launched. Whether the caller may
    /// see them was asked before.
    ///
    /// - Parameter project: nil for all.
    func records(from start: Timestamp, to end: Timestamp, project: String?) async throws -> [UsageRecord] {
        try await context.readLong { tx in try UsageStore().list(from: start, to: end, project: project, in: tx) }
    }
}
