import CloudCore
import SQL

/// The hashes of users' passwords. They are numbered for each user, and the highest number is the present password.
struct PasswordStore: Sendable {
    struct Password: Sendable {
        var number: Int
        var hash: String
        var createdAt: Timestamp
        var expiresAt: Timestamp?
        /// Whether the user set the password, not an administrator.
        var isByOwner: Bool
    }

    func current(of user: ID<Kind.User>, in tx: Transaction) throws -> Password? { try newest(1, of: user, in: tx).first }

    /// Returns the newest passwords, the present one first.
    func newest(_ count: Int, of user: ID<Kind.User>, in tx: Transaction) throws -> [Password] {
        try tx.rows(
            """
            SELECT number, hash, created_at, expires_at, by_owner FROM identity_password WHERE user_id = ?
            ORDER BY number DESC LIMIT ?
            """, user, count
        ).map {
            Password(
                number: try $0["number"], hash: try $0["hash"], createdAt: try $0["created_at"], expiresAt: try $0["expires_at"],
                isByOwner: try $0["by_owner"])
        }
    }

    /// Adds a password, and deletes all but the newest ones.
    ///
    /// - Parameter keeping: the number of passwords that stay, with the new one. At least one stays.
    func add(_ password: Password, of user: ID<Kind.User>, keeping: Int, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO identity_password (user_id, number, hash, created_at, expires_at, by_owner) VALUES (?, ?, ?, ?, ?, ?)",
            user, password.number, password.hash, password.createdAt, password.expiresAt, password.isByOwner)
        try tx.execute(
            "DELETE FROM identity_password WHERE user_id = ? AND number <= ?", user, password.number - max(keeping, 1))
        try tx.execute("UPDATE identity_user SET password_expires_at = ? WHERE id = ?", password.expiresAt, user)
    }

    func removeAll(of user: ID<Kind.User>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM identity_password WHERE user_id = ?", user)
        try tx.execute("UPDATE identity_user SET password_expires_at = NULL WHERE id = ?", user)
    }
}
