import CloudCore
import SQL

/// The SQL of `workflow` and its events. A write of an owner is conditional on the epoch of the row.
struct WorkflowStore: Sendable {
    private static let columns = """
        id, kind, version, fingerprint, resource, project_id, request_id, principal, trace, input, state, status, direction, \
        step, attempt, interrupted, progress, epoch, sequence, owner, lease_until, run_after, wait_until, cancel_requested, \
        failure, reason, abandoned_by, place, created_at, updated_at, finished_at
        """

    // MARK: Reading

    func find(_ id: WorkflowID, in tx: Transaction) throws -> WorkflowRecord? {
        try tx.row("SELECT \(Self.columns) FROM workflow WHERE id = ?", id).map(Self.record)
    }

    /// Returns the active workflow of a resource: the one that has not ended and is not queued.
    func findActive(on resource: ResourceKey, in tx: Transaction) throws -> WorkflowRecord? {
        try tx.row(
            "SELECT \(Self.columns) FROM workflow WHERE resource = ? AND finished_at IS NULL AND status <> 'queued'",
            resource.text
        ).map(Self.record)
    }

    /// Returns the queued workflows of a resource, in the order of their turns.
    func listQueued(on resource: ResourceKey, in tx: Transaction) throws -> [WorkflowRecord] {
        try tx.rows(
            "SELECT \(Self.columns) FROM workflow WHERE resource = ? AND status = 'queued' ORDER BY place", resource.text
        ).map(Self.record)
    }

    /// Returns all unfinished workflows of some resources. Those of one resource come in the order of their turns, with
    /// the active one first.
    func listUnfinished(on resources: [ResourceKey], in tx: Transaction) throws -> [WorkflowRecord] {
        // Each half of the query has its own partial index.
        let found = try tx.pieces(of: resources.map(\.text.sql)).flatMap { list, arguments in
            try tx.rows(
                """
                SELECT \(Self.columns) FROM workflow
                WHERE resource \(list) AND finished_at IS NULL AND status <> 'queued'
                UNION ALL SELECT \(Self.columns) FROM workflow WHERE resource \(list) AND status = 'queued'
                """, arguments: arguments + arguments
            ).map(Self.record)
        }
        return found.sorted { ($0.status == .queued ? 1 : 0, $0.place) < ($1.status == .queued ? 1 : 0, $1.place) }
    }

    /// Returns the workflows of a resource, newest first.
    func listAll(on resource: ResourceKey, limit: Int, in tx: Transaction) throws -> [WorkflowRecord] {
        try tx.rows(
            "SELECT \(Self.columns) FROM workflow WHERE resource = ? ORDER BY created_at DESC, id DESC LIMIT ?",
            resource.text, limit
        ).map(Self.record)
    }

    /// Returns a part of the workflows of a resource, newest first.
    func list(_ query: HistoryQuery, on resource: ResourceKey, in tx: Transaction) throws -> [WorkflowRecord] {
        let order = [(column: "created_at", ascending: false), (column: "id", ascending: false)]
        var conditions = Conditions()
        conditions.equal("resource", resource.text)
        conditions.equal("request_id", query.requestID)
        if let kind = query.without { conditions.add("kind <> ?", [kind.name.sql]) }
        conditions.atLeast("updated_at", query.changedSince)
        conditions.atMost("updated_at", query.changedBefore)
        conditions.after(order, query.after.map { [$0.createdAt.sql, $0.id.sql] })
        return try tx.rows(
            "SELECT \(Self.columns) FROM workflow \(conditions.clause) \(Keyset.ordering(order)) LIMIT ?",
            arguments: conditions.arguments + [query.limit.sql]
        ).map(Self.record)
    }

    /// Returns the resources in a range that have an active workflow.
    func busyResources(_ range: TextRange, limit: Int, in tx: Transaction) throws -> [String] {
        var conditions = Conditions()
        conditions.within("resource", range)
        return try tx.rows(
            "SELECT resource FROM workflow \(conditions.clause) AND finished_at IS NULL AND status <> 'queued' LIMIT ?",
            arguments: conditions.arguments + [limit.sql]
        ).map { try $0.value(at: 0) }
    }

    /// Returns the workflows in one status, oldest first.
    func list(_ status: WorkflowRecord.Status, limit: Int, in tx: Transaction) throws -> [WorkflowRecord] {
        try tx.rows(
            "SELECT \(Self.columns) FROM workflow WHERE status = ? ORDER BY created_at, id LIMIT ?", status.rawValue, limit
        ).map(Self.record)
    }

    /// Returns the workflows of some kinds that have not finished, or finished after `oldest`; newest first.
    func list(_ kinds: [WorkflowKind], finishedAfter oldest: Timestamp, limit: Int, in tx: Transaction) throws -> [WorkflowRecord] {
        let marks = kinds.map { _ in "?" }.joined(separator: ", ")
        return try tx.rows(
            """
            SELECT \(Self.columns) FROM workflow WHERE kind IN (\(marks)) AND (finished_at IS NULL OR finished_at > ?)
            ORDER BY created_at DESC, id DESC LIMIT ?
            """, arguments: kinds.map(\.name.sql) + [oldest.sql, limit.sql]
        ).map(Self.record)
    }

    func lastEpoch(on resource: ResourceKey, in tx: Transaction) throws -> Int64? {
        let epoch: Int64?? = try tx.value("SELECT max(epoch) FROM workflow WHERE resource = ?", resource.text)
        return epoch ?? nil
    }

    func events(of id: WorkflowID, in tx: Transaction) throws -> [WorkflowEvent] {
        try tx.rows(
            """
            SELECT sequence, epoch, step, direction, kind, attempt, data, at FROM workflow_event
            WHERE workflow_id = ? ORDER BY sequence
            """, id
        ).map { row in
            WorkflowEvent(
                sequence: try row["sequence"], epoch: try row["epoch"], step: try row["step"],
                direction: try Self.word(row["direction"]), kind: try Self.word(row["kind"]), attempt: try row["attempt"],
                data: try row["data"], at: try row["at"])
        }
    }

    // MARK: Writing

    func insert(_ row: WorkflowRecord, in tx: Transaction) throws {
        let fixed: [SQLValue] = [
            row.id.sql, row.kind.name.sql, row.version.sql, row.fingerprint.sql, row.resource.text.sql, row.projectID.sql,
            row.requestID.sql, row.principal.sql, row.trace.sql, row.input.sql, row.createdAt.sql, row.epoch.sql,
            row.cancelRequested.sql, row.abandonedBy.sql, row.place.sql,
        ]
        let changing = try Self.changing(row)
        let marks = (fixed + changing).map { _ in "?" }.joined(separator: ", ")
        try tx.execute(
            """
            INSERT INTO workflow (id, kind, version, fingerprint, resource, project_id, request_id, principal, trace, input,
              created_at, epoch, cancel_requested, abandoned_by, place, \(Self.changingColumns.joined(separator: ", ")))
            VALUES (\(marks))
            """, arguments: fixed + changing)
    }

    /// Writes the next form of a row, and its events.
    ///
    /// - Parameter current: the row as it was read in this transaction.
    /// - Returns: the row as it now is.
    /// - Throws: `OwnershipLost` if the row has another epoch or sequence by now.
    func record(_ transition: Transition, over current: WorkflowRecord, in tx: Transaction) throws -> WorkflowRecord {
        var next = transition.row
        next.sequence = current.sequence + Int64(max(transition.events.count, 1))
        if next.status != .running { (next.owner, next.leaseUntil) = (nil, nil) }
        let assignments = Self.changingColumns.map { "\($0) = ?" }.joined(separator: ", ")
        let changed = try tx.execute(
            "UPDATE workflow SET \(assignments), abandoned_by = ? WHERE id = ? AND epoch = ? AND sequence = ?",
            arguments: try Self.changing(next) + [
                next.abandonedBy.sql, next.id.sql, current.epoch.sql, current.sequence.sql,
            ])
        guard changed == 1 else { throw OwnershipLost() }
        for (offset, event) in transition.events.enumerated() {
            try tx.execute(
                """
                INSERT INTO workflow_event (workflow_id, sequence, epoch, step, direction, kind, attempt, data, at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                next.id, current.sequence + Int64(offset) + 1, current.epoch, event.step, event.direction.rawValue,
                event.kind.rawValue, event.attempt, event.data, next.updatedAt)
        }
        if next.finishedAt != nil { try tx.execute("DELETE FROM workflow_signal WHERE workflow_id = ?", next.id) }
        return next
    }

    func setCancelRequested(_ id: WorkflowID, now: Timestamp, in tx: Transaction) throws {
        try tx.execute(
            """
            UPDATE workflow SET cancel_requested = 1, updated_at = ?,
              run_after = CASE WHEN status IN ('waiting', 'ready') THEN ? ELSE run_after END
            WHERE id = ? AND finished_at IS NULL
            """, now, now, id)
    }

    /// Makes the first queued workflow of a resource ready, with an epoch that continues those of its predecessors.
    /// Returns false if nothing waits.
    func releaseQueued(on resource: ResourceKey, now: Timestamp, in tx: Transaction) throws -> Bool {
        try tx.execute(
            """
            UPDATE workflow SET status = 'ready', run_after = ?, updated_at = ?,
              epoch = (SELECT max(other.epoch) FROM workflow AS other WHERE other.resource = workflow.resource)
            WHERE resource = ? AND status = 'queued'
              AND place = (SELECT min(place) FROM workflow WHERE resource = ? AND status = 'queued')
            """, now, now, resource.text, resource.text) > 0
    }

    /// Deletes up to `limit` workflows that finished before a time, with their history. Returns their number.
    func deleteFinished(before: Timestamp, limit: Int, in tx: Transaction) throws -> Int {
        let ids: [WorkflowID] = try tx.rows(
            "SELECT id FROM workflow WHERE finished_at < ? ORDER BY finished_at LIMIT ?", before, limit
        ).map { try $0["id"] }
        for id in ids {
            try tx.execute("DELETE FROM workflow_event WHERE workflow_id = ?", id)
            try tx.execute("DELETE FROM workflow WHERE id = ?", id)
        }
        return ids.count
    }

    // MARK: Rows

    private static let changingColumns = [
        "state", "status", "direction", "step", "attempt", "interrupted", "progress", "sequence", "owner", "lease_until",
        "run_after", "wait_until", "failure", "reason", "updated_at", "finished_at",
    ]

    private static func changing(_ row: WorkflowRecord) throws -> [SQLValue] {
        [
            row.state.sql, row.status.rawValue.sql, row.direction.rawValue.sql, row.step.sql, row.attempt.sql,
            row.interrupted.sql, row.progress.sql, row.sequence.sql, row.owner.sql, row.leaseUntil.sql, row.runAfter.sql,
            row.waitUntil.sql, try row.failure.map { try StoredJSON.text($0) }.sql, row.reason.sql, row.updatedAt.sql,
            row.finishedAt.sql,
        ]
    }

    static func record(_ row: Row) throws -> WorkflowRecord {
        let failure: String? = try row["failure"]
        return WorkflowRecord(
            id: try row["id"], kind: WorkflowKind(try row["kind"]), version: try row["version"],
            fingerprint: try row["fingerprint"], resource: ResourceKey(try row["resource"]), projectID: try row["project_id"],
            requestID: try row["request_id"], principal: try row["principal"], trace: try row["trace"],
            input: try row["input"], state: try row["state"], status: try word(row["status"]),
            direction: try word(row["direction"]), step: try row["step"], attempt: try row["attempt"],
            interrupted: try row["interrupted"], progress: try row["progress"], epoch: try row["epoch"],
            sequence: try row["sequence"], owner: try row["owner"], leaseUntil: try row["lease_until"],
            runAfter: try row["run_after"], waitUntil: try row["wait_until"], cancelRequested: try row["cancel_requested"],
            failure: try failure.map { try StoredJSON.value(from: $0) }, reason: try row["reason"],
            abandonedBy: try row["abandoned_by"], place: try row["place"], createdAt: try row["created_at"], updatedAt: try row["updated_at"],
            finishedAt: try row["finished_at"])
    }

    private static func word<Word: RawRepresentable<String>>(_ text: String) throws -> Word {
        guard let word = Word(rawValue: text) else { throw SQLError.misuse("'\(text)' is no \(Word.self)") }
        return word
    }

    static var allColumns: String { columns }
}

/// The error of a conditional write whose row has another owner by now, or was abandoned. The runner stops at once.
struct OwnershipLost: Error {}
