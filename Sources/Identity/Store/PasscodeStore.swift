import CloudCore
import SQL

/// The state of each user's passcodes: the last one that was accepted, and the number of wrong ones since.
struct PasscodeStore: Sendable {
    struct Record: Sendable {
        /// The number of the 30-second window of the last passcode that was accepted.
        var lastWindow: Int64 = 0
        var failedAttempts = 0
        var failedAt: Timestamp?
    }

    func find(_ user: ID<Kind.User>, in tx: Transaction) throws -> Record {
        guard
            let row = try tx.row("SELECT last_window, failed_attempts, failed_at FROM identity_passcode WHERE user_id = ?", user)
        else { return Record() }
        return Record(lastWindow: try row["last_window"], failedAttempts: try row["failed_attempts"], failedAt: try row["failed_at"])
    }

    func put(_ record: Record, of user: ID<Kind.User>, in tx: Transaction) throws {
        try tx.execute(
            """
            INSERT INTO identity_passcode (user_id, last_window, failed_attempts, failed_at) VALUES (?, ?, ?, ?)
            ON CONFLICT (user_id) DO UPDATE SET last_window = excluded.last_window, failed_attempts = excluded.failed_attempts,
              failed_at = excluded.failed_at
            """, user, record.lastWindow, record.failedAttempts, record.failedAt)
    }
}
