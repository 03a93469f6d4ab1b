import CloudCore
import SQL

/// The SQL of ownership: which process may carry a workflow on. One statement serves first claims and recovery.
struct LeaseStore: Sendable {
    /// A workflow that may be claimed: it is due, or its owner has let the lease expire.
    struct Candidate: Sendable {
        let id: WorkflowID
        let key: Outline.Key
        let fingerprint: String
        let dueSince: Timestamp
        let projectID: ID<Kind.Project>?
    }

    /// The kinds and projects that a look for work leaves out.
    struct Exclusions: Sendable {
        var kinds: [WorkflowKind] = []
        var projects: [ID<Kind.Project>] = []

        var condition: String {
            var text = ""
            if !kinds.isEmpty { text += " AND kind NOT IN (\(Self.marks(kinds.count)))" }
            if !projects.isEmpty { text += " AND (project_id IS NULL OR project_id NOT IN (\(Self.marks(projects.count))))" }
            return text
        }

        var arguments: [SQLValue] { kinds.map(\.name.sql) + projects.map(\.sql) }

        private static func marks(_ count: Int) -> String { Array(repeating: "?", count: count).joined(separator: ", ") }
    }

    private static let isDue = """
        (status IN ('ready', 'waiting') AND run_after <= ? OR status = 'running' AND lease_until <= ?) AND finished_at IS NULL
        """

    /// Returns the workflows that may be claimed, in the order in which they became due.
    func due(_ now: Timestamp, limit: Int, besides exclusions: Exclusions, in tx: Transaction) throws -> [Candidate] {
        try tx.rows(
            """
            SELECT id, kind, version, fingerprint, project_id,
              CASE WHEN status = 'running' THEN lease_until ELSE run_after END AS since
            FROM workflow WHERE \(Self.isDue)\(exclusions.condition) ORDER BY since, id LIMIT ?
            """, arguments: [now.sql, now.sql] + exclusions.arguments + [limit.sql]
        ).map { row in
            Candidate(
                id: try row["id"], key: Outline.Key(kind: WorkflowKind(try row["kind"]), version: try row["version"]),
                fingerprint: try row["fingerprint"], dueSince: try row["since"], projectID: try row["project_id"])
        }
    }

    /// Returns the time at which the next workflow becomes due if nothing else happens; nil if there is none.
    func nextDue(besides exclusions: Exclusions, in tx: Transaction) throws -> Timestamp? {
        let rest = exclusions.condition
        let found = try tx.rows(
            """
            SELECT min(at) AS at FROM (
              SELECT min(run_after) AS at FROM workflow WHERE status IN ('ready', 'waiting') AND finished_at IS NULL\(rest)
              UNION ALL SELECT min(lease_until) AS at FROM workflow WHERE status = 'running' AND finished_at IS NULL\(rest)
            ) AS due
            """, arguments: exclusions.arguments + exclusions.arguments
        ).first
        return try found?["at"] ?? nil
    }

    /// Makes `owner` the owner if the row is still due. Returns nil if another process was first.
    func claim(
        _ id: WorkflowID, by owner: String, until: Timestamp, now: Timestamp, in tx: Transaction
    ) throws -> WorkflowRecord? {
        try tx.row(
            """
            UPDATE workflow SET status = 'running', epoch = epoch + 1, owner = ?, lease_until = ?, interrupted = interrupted + 1,
              updated_at = ?
            WHERE id = ? AND \(Self.isDue) RETURNING \(WorkflowStore.allColumns)
            """, owner, until, now, id, now, now
        ).map(WorkflowStore.record)
    }

    /// Returns the present row, for the next write of its owner.
    ///
    /// - Parameter lastKnown: the row as the owner last knew it.
    /// - Throws: `OwnershipLost` if the row has another owner or no longer runs.
    func requireOwned(_ lastKnown: WorkflowRecord, in tx: Transaction) throws -> WorkflowRecord {
        let row = try WorkflowStore().find(lastKnown.id, in: tx)
        guard let row, row.epoch == lastKnown.epoch, row.status == .running else { throw OwnershipLost() }
        return row
    }

    /// Extends the lease, and writes the progress unless it is nil. Returns whether a cancel was asked for, or nil if
    /// the ownership is lost.
    func renew(
        _ row: WorkflowRecord, until: Timestamp, progress: Int?, now: Timestamp, in tx: Transaction
    ) throws -> Bool? {
        try tx.value(
            """
            UPDATE workflow SET lease_until = ?, progress = coalesce(?, progress), updated_at = ?
            WHERE id = ? AND epoch = ? AND status = 'running' RETURNING cancel_requested
            """, until, progress, now, row.id, row.epoch)
    }

    /// Makes every workflow claimable that is marked as running; for a process that knows that it is the only one.
    func releaseAll(now: Timestamp, in tx: Transaction) throws -> Int {
        try tx.execute(
            """
            UPDATE workflow SET status = 'ready', owner = NULL, lease_until = NULL, run_after = ?, updated_at = ?
            WHERE status = 'running'
            """, now, now)
    }
}
