import CloudCore
package import SQL

extension Workflows {
    /// The time between two looks at the row while no bell rings: another process may carry the workflow out.
    private static let glance = Duration.milliseconds(500)

    /// Waits for a workflow to end.
    ///
    /// - Parameter patience: the longest wait. A workflow that has not ended by then is cancelled.
    /// - Returns: the row of the workflow that succeeded.
    /// - Throws: the failure of the workflow, if it has one; `conflict` if it is stuck, blocked or abandoned;
    ///   `unavailable` if it takes too long; `CancellationError` if the task is cancelled, which does not cancel the
    ///   workflow.
    @discardableResult
    package func awaitEnd(
        of id: WorkflowID, within patience: Duration, in database: Database, by sleeper: any Sleeper
    ) async throws -> WorkflowRecord {
        let nudge = Nudge()
        bell.awaitEnd(of: id, nudge)
        defer { bell.forgetEnd(of: id) }
        let deadline = world.now + patience
        while true {
            guard let row = try await database.read({ tx in try store.find(id, in: tx) }) else {
                throw CloudError.internalError("workflow \(id) ended and was forgotten while its end was awaited")
            }
            if row.status == .succeeded { return row }
            if row.finishedAt != nil || row.status.needsAttention { throw Self.ending(row) }
            try Task.checkCancellation()
            guard world.now < deadline else { break }
            await nudge.wait(until: min(world.now + Self.glance, deadline), by: sleeper)
        }
        try await database.write { tx in try requestCancel(id, in: tx) }
        throw CloudError(
            .unavailable, "The action did not end within \(Int(patience.inSeconds)) s. It was called off.",
            detail: "workflow \(id)")
    }

    /// Returns the reason why a workflow did not succeed, in words for the caller.
    private static func ending(_ row: WorkflowRecord) -> CloudError {
        if row.status.needsAttention {
            return CloudError(.conflict, "The action came to a standstill and waits for an administrator.", detail: row.reason)
        }
        guard let failure = row.failure else {
            return CloudError(.conflict, "The action was given up by an administrator.", detail: row.reason)
        }
        return CloudError(failure.kind, failure.message, detail: failure.detail, code: failure.code)
    }
}
