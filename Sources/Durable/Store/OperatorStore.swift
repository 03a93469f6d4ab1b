import CloudCore
import SQL

/// SQL of the lists that an operator looks at.
struct OperatorStore: Sendable {
    private static let isStuck = """
        finished_at IS NULL AND (status IN ('stuck', 'blocked') OR (status <> 'queued' AND attempt >= ?))
        """

    /// Returns the workflows that a filter lets through, newest first.
    ///
    /// - Parameter marker: the row behind which the list begins; nil for its beginning.
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

    /// Returns how many workflows are in each status that has not ended, since when the oldest, and how many of them count as stuck.
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

    /// Returns what a workflow failed with last, also if it was tried again since.
    func lastFailure(of id: WorkflowID, in tx: Transaction) throws -> Failure? {
        let text: String? = try tx.value(
            """
            SELECT data FROM workflow_event WHERE workflow_id = ? AND kind IN ('failed', 'retried') AND data IS NOT NULL
            ORDER BY sequence DESC LIMIT 1
            """, id)
        return text.flatMap { try? StoredJSON.value(from: $0) }
    }

    /// Returns when the present step of a workflow was first begun; nil before that.
    func stepBegan(_ row: WorkflowRecord, in tx: Transaction) throws -> Timestamp? {
        let at: Timestamp?? = try tx.value(
            "SELECT min(at) FROM workflow_event WHERE workflow_id = ? AND step = ? AND direction = ?", row.id, row.step,
            row.direction.rawValue)
        return at ?? nil
    }
}
