import CloudCore
import SQL

/// Revocation events. They are few, and end with the tokens that they concern.
struct RevocationStore: Sendable {
    private static let columns = """
        id, user_id, project_id, domain_id, role_id, trust_id, consumer_id, access_token_id, audit_id, audit_chain_id, \
        issued_before, revoked_at
        """

    func insert(_ event: Revocation, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO identity_revocation (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            event.id, event.userID, event.projectID, event.domainID, event.roleID, event.trustID, event.consumerID,
            event.accessTokenID, event.auditID, event.auditChainID, event.issuedBefore, event.revokedAt)
    }

    /// - Parameter since: only what was revoked at that moment or later.
    func all(since: Timestamp?, in tx: Transaction) throws -> [Revocation] {
        try tx.rows(
            "SELECT \(Self.columns) FROM identity_revocation WHERE revoked_at >= ? ORDER BY revoked_at, id",
            since ?? Timestamp(microseconds: 0)
        ).map(event)
    }

    /// What may concern a token: the events of its user, its scope or its audit ids.
    func concerning(_ token: Token, in tx: Transaction) throws -> [Revocation] {
        try tx.rows(
            """
            SELECT \(Self.columns) FROM identity_revocation
            WHERE revoked_at >= ? AND (user_id IS NULL OR user_id = ?) AND (audit_id IS NULL OR audit_id = ?)
              AND (audit_chain_id IS NULL OR audit_chain_id = ?)
            """, token.issuedAt, token.userID, token.auditIDs.first ?? "", token.chainID
        ).map(event)
    }

    /// Removes events that are older than any token can be.
    @discardableResult
    func prune(before horizon: Timestamp, in tx: Transaction) throws -> Int {
        try tx.execute("DELETE FROM identity_revocation WHERE revoked_at < ?", horizon)
    }

    private func event(_ row: Row) throws -> Revocation {
        var event = Revocation(id: try row["id"], at: try row["revoked_at"])
        event.userID = try row["user_id"]
        event.projectID = try row["project_id"]
        event.domainID = try row["domain_id"]
        event.roleID = try row["role_id"]
        event.trustID = try row["trust_id"]
        event.consumerID = try row["consumer_id"]
        event.accessTokenID = try row["access_token_id"]
        event.auditID = try row["audit_id"]
        event.auditChainID = try row["audit_chain_id"]
        event.issuedBefore = try row["issued_before"]
        return event
    }
}
