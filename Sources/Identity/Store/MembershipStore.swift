import CloudCore
import SQL

/// The members of groups.
struct MembershipStore: Sendable {
    func has(_ user: ID<Kind.User>, in group: ID<Kind.Group>, _ tx: Transaction) throws -> Bool {
        let found: String? = try tx.value(
            "SELECT user_id FROM identity_membership WHERE group_id = ? AND user_id = ?", group, user)
        return found != nil
    }

    /// Returns the ids of a group's members, sorted.
    func members(of group: ID<Kind.Group>, _ tx: Transaction) throws -> [ID<Kind.User>] {
        try tx.rows("SELECT user_id FROM identity_membership WHERE group_id = ? ORDER BY user_id", group)
            .map { try $0["user_id"] }
    }

    func add(_ user: ID<Kind.User>, to group: ID<Kind.Group>, _ tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO identity_membership (group_id, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING", group, user)
    }

    /// Removes a user from a group, and returns whether the user was in it.
    func remove(_ user: ID<Kind.User>, from group: ID<Kind.Group>, _ tx: Transaction) throws -> Bool {
        try tx.execute("DELETE FROM identity_membership WHERE group_id = ? AND user_id = ?", group, user) > 0
    }

    // MARK: Conditions of lists

    /// Returns the condition for the users in a group.
    static func users(in group: ID<Kind.Group>) -> (sql: String, arguments: [SQLValue]) {
        ("id IN (SELECT user_id FROM identity_membership WHERE group_id = ?)", [group.sql])
    }

    /// Returns the condition for the groups of a user.
    static func groups(of user: ID<Kind.User>) -> (sql: String, arguments: [SQLValue]) {
        ("id IN (SELECT group_id FROM identity_membership WHERE user_id = ?)", [user.sql])
    }
}
