import CloudCore
import SQL

/// Queries and updates of users that need no whole row.
struct UserStore: Sendable {
    /// Tells whether the cloud has no user yet.
    func isEmpty(in tx: Transaction) throws -> Bool {
        try tx.value("SELECT id FROM identity_user LIMIT 1") as String? == nil
    }

    func exists(_ id: ID<Kind.User>, in tx: Transaction) throws -> Bool {
        try tx.value("SELECT id FROM identity_user WHERE id = ?", id) as String? != nil
    }

    // MARK: Wrong passwords

    func forgetFailures(of id: ID<Kind.User>, in tx: Transaction) throws {
        try tx.execute("UPDATE identity_user SET failed_attempts = 0, failed_at = NULL WHERE id = ?", id)
    }

    /// Counts a wrong password.
    ///
    /// - Parameter isFirst: whether the count begins again at one.
    func noteFailure(of id: ID<Kind.User>, at now: Timestamp, isFirst: Bool, in tx: Transaction) throws {
        try tx.execute(
            """
            UPDATE identity_user
            SET failed_attempts = CASE WHEN ? = 1 THEN 1 ELSE failed_attempts + 1 END, failed_at = ? WHERE id = ?
            """, isFirst, now, id)
    }

    /// Resets the count of wrong passwords, and records the day of a successful authentication.
    ///
    /// - Parameter day: the number of days since 1970.
    func noteSuccess(of id: ID<Kind.User>, day: Int, in tx: Transaction) throws {
        try tx.execute(
            "UPDATE identity_user SET failed_attempts = 0, failed_at = NULL, last_active_day = ? WHERE id = ?", day, id)
    }
}
