import CloudCore
import SQL

/// The notes of operators on agents, which are the hosts themselves.
enum AgentStore {
    struct Note: Sendable {
        var isUp = true
        var description: String?
    }

    static func notes(in tx: Transaction) throws -> [String: Note] {
        var notes: [String: Note] = [:]
        for row in try tx.rows("SELECT host_id, admin_state_up, description FROM networking_agent") {
            notes[try row.value(at: 0)] = Note(isUp: try row.value(at: 1), description: try row.value(at: 2))
        }
        return notes
    }

    static func set(_ note: Note, of host: String, in tx: Transaction) throws {
        try tx.execute(
            """
            INSERT INTO networking_agent (host_id, admin_state_up, description) VALUES (?, ?, ?)
            ON CONFLICT (host_id) DO UPDATE SET admin_state_up = excluded.admin_state_up, description = excluded.description
            """, host, note.isUp, note.description)
    }

    static func remove(_ host: String, in tx: Transaction) throws {
        try tx.execute("DELETE FROM networking_agent WHERE host_id = ?", host)
    }
}
