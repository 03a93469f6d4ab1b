import CloudCore
import SQL

/// The SQL of the lists for operators.
struct OperatorStore: Sendable {
    private static let isStuck = """
        finished_at IS NULL AND (status IN ('stuck', 'blocked') OR (status <> 'queued' AND attempt >= ?))
        """

    /// Returns the workflows that match a filter, newest first.
    ///
    /// - Parameter marker: the last row of the previous page; nil for the first page.
    func list(
        _ filter: WorkflowFilter, after marker: WorkflowRecord?, limit: Int, in tx: Transaction
    ) throws -> [WorkflowRecord] {
        var conditions = Conditions()
        conditions.equal("kind", filter.kind?.name)
        conditions.equal("status", filter.status?.rawValue)
        conditions.equal("resource", filter.resource?.text)
        conditions.equal("project_id", filter.projectID)
        if filter.isStuck { conditions.add(Self.isStuck, [WorkflowRecord.stuckFromAttempts.sql]) }
        // This condition alone lets the index begin at the right place.
        conditions.atMost("created_at", marker?.createdAt)
        let order = [(column: "created_at", ascending: false), (column: "id", ascending: false)]
        conditions.after(order, marker.map { [$0.createdAt.sql, $0.id.sql] })
        return try tx.rows(
            "SELECT \(WorkflowStore.allColumns) FROM workflow \(conditions.clause) \(Keyset.ordering(order)) LIMIT ?",
            arguments: conditions.arguments + [limit.sql]
        ).map(WorkflowStore.record)
    }

    /// Returns, for each status that has not ended, the number of workflows, the start of the oldest, and the number
    /// that count as stuck.
    func census(in tx: Transaction) throws -> [WorkflowCensus] {
        try tx.rows(
            """
            SELECT status, count(*) AS count, min(created_at) AS oldest,
              sum(CASE WHEN \(Self.isStuck) THEN 1 ELSE 0 END) AS stuck
            FROM workflow WHERE finished_at IS NULL GROUP BY status ORDER BY status
            """, WorkflowRecord.stuckFromAttempts
        ).map { row in
            WorkflowCensus(status: try row["status"], count: try row["count"], stuck: try row["stuck"], oldest: try row["oldest"])
        }
    }

    /// Returns the last failure of a workflow, also if the step was retried since.
    func lastFailure(of id: WorkflowID, in tx: Transaction) throws -> Failure? {
        let text: String? = try tx.value(
            """
            SELECT data FROM workflow_event WHERE workflow_id = ? AND kind IN ('failed', 'retried') AND data IS NOT NULL
            ORDER BY sequence DESC LIMIT 1
            """, id)
        return text.flatMap { try? StoredJSON.value(from: $0) }
    }

    /// Returns the time at which the present step of a workflow first began; nil before that.
    func stepBegan(_ row: WorkflowRecord, in tx: Transaction) throws -> Timestamp? {
        let at: Timestamp?? = try tx.value(
            "SELECT min(at) FROM workflow_event WHERE workflow_id = ? AND step = ? AND direction = ?", row.id, row.step,
            row.direction.rawValue)
        return at ?? nil
    }
}
