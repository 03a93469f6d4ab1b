import CloudCore
import SQL

/// The SQL of `workflow_signal`: the signals from outside that no step has taken yet.
struct SignalStore: Sendable {
    /// Stores a signal, and makes its workflow due if it waits. A signal with the same name and payload as a stored one
    /// is not stored again.
    func insert(_ name: SignalName, payload: String?, for id: WorkflowID, now: Timestamp, in tx: Transaction) throws {
        let present: Int? = try tx.value(
            "SELECT 1 FROM workflow_signal WHERE workflow_id = ? AND name = ? AND coalesce(payload, '') = ? LIMIT 1", id,
            name.text, payload ?? "")
        if present == nil {
            let last: Int64? = try tx.value("SELECT coalesce(max(number), 0) FROM workflow_signal WHERE workflow_id = ?", id)
            try tx.execute(
                "INSERT INTO workflow_signal (workflow_id, number, name, payload, at) VALUES (?, ?, ?, ?, ?)", id,
                (last ?? 0) + 1, name.text, payload, now)
        }
        try tx.execute("UPDATE workflow SET run_after = ? WHERE id = ? AND status = 'waiting'", now, id)
    }

    /// Returns the stored signals of a name in the order in which they came.
    func list(_ name: SignalName, for id: WorkflowID, in tx: Transaction) throws -> [Signal] {
        try tx.rows(
            "SELECT number, payload, at FROM workflow_signal WHERE workflow_id = ? AND name = ? ORDER BY number", id, name.text
        ).map { Signal(name: name, payload: try $0["payload"], at: try $0["at"], number: try $0["number"]) }
    }

    func delete(_ signal: Signal, for id: WorkflowID, in tx: Transaction) throws {
        try tx.execute("DELETE FROM workflow_signal WHERE workflow_id = ? AND number = ?", id, signal.number)
    }
}
