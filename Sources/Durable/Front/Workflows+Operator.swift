package import CloudCore
package import SQL

/// The number of workflows in one status that has not ended.
package struct WorkflowCensus: Sendable {
    package let status: String
    package let count: Int
    /// The number of these workflows that count as stuck.
    package let stuck: Int
    /// The time at which the oldest of them was started.
    package let oldest: Timestamp
}

extension Workflows {
    /// Returns workflows as an operator sees them, newest first.
    ///
    /// - Parameter marker: the id of the last workflow of the previous page; nil for the first page.
    /// - Throws: `CloudError.badRequest` if the marker is no workflow.
    package func reports(
        _ filter: WorkflowFilter, after marker: WorkflowID?, limit: Int, in tx: Transaction
    ) throws -> [WorkflowReport] {
        let last = try marker.map { id in
            guard let row = try store.find(id, in: tx) else { throw CloudError.badRequest("The marker \(id) is no workflow.") }
            return row
        }
        return try OperatorStore().list(filter, after: last, limit: limit, in: tx).map { try report($0, in: tx) }
    }

    /// Returns everything that an operator may know of a workflow, with its history and its line.
    ///
    /// - Throws: `CloudError.notFound`.
    package func report(on id: WorkflowID, in tx: Transaction) throws -> WorkflowReport {
        guard let row = try store.find(id, in: tx) else { throw CloudError.notFound("workflow", id.text) }
        var report = try report(row, in: tx)
        report.events = try store.events(of: id, in: tx)
        report.line = try store.listUnfinished(on: [row.resource], in: tx).filter { $0.id != id }.map { try self.report($0, in: tx) }
        return report
    }

    private func report(_ row: WorkflowRecord, in tx: Transaction) throws -> WorkflowReport {
        var report = WorkflowReport(row: row, lastFailure: row.failure)
        guard row.finishedAt == nil else { return report }
        let known = OperatorStore()
        let outline = outlines[row.outlineKey]
        let terms = outline?.index(of: row.step).flatMap { outline?.steps[$0].waits }
        if row.attempt > 0 || row.status.needsAttention { report.lastFailure = try known.lastFailure(of: row.id, in: tx) ?? row.failure }
        report.waiting = WorkflowReport.Waiting(row, began: try known.stepBegan(row, in: tx), terms: terms)
        return report
    }

    /// Returns the number of workflows in each status that has not ended, for metrics.
    package func census(in tx: Transaction) throws -> [WorkflowCensus] { try OperatorStore().census(in: tx) }
}
