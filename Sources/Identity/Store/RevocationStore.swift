import CloudCore
import SQL

/// The revocation events. They are kept as long as the tokens that they may end. They are found by the ids that they
/// name, so events of others cost nothing.
struct RevocationStore: Sendable {
    /// The topic that new events mark. A commit that marks only this topic leaves everything else that is cached of
    /// tokens valid.
    static let topic = Topic("identity-revocations")

    private static let columns = """
        id, user_id, project_id, domain_id, role_id, trust_id, consumer_id, access_token_id, audit_id, audit_chain_id, \
        issued_before, revoked_at
        """

    func insert(_ event: Revocation, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO identity_revocation (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            event.id, event.userID, event.projectID, event.domainID, event.roleID, event.trustID, event.consumerID,
            event.accessTokenID, event.auditID, event.auditChainID, event.issuedBefore, event.revokedAt)
        tx.changed(Self.topic)
    }

    /// Returns the events, oldest first.
    ///
    /// - Parameter since: the moment of the first events to return; nil for all.
    func all(since: Timestamp?, in tx: Transaction) throws -> [Revocation] {
        try tx.rows(
            "SELECT \(Self.columns) FROM identity_revocation WHERE revoked_at >= ? ORDER BY revoked_at, id",
            since ?? Timestamp(microseconds: 0)
        ).map(event)
    }

    /// Returns the events that may end a token: those that name its user, its scope, its delegation or its audit ids.
    func concerning(_ token: Token, in tx: Transaction) throws -> [Revocation] {
        let (sql, arguments) = Self.concerning(token)
        return try tx.rows(sql, arguments: arguments).map(event)
    }

    /// Returns the statement for `concerning`. It makes one index lookup for each id of the token that an event may
    /// name.
    static func concerning(_ token: Token) -> (sql: String, arguments: [SQLValue]) {
        var named: [(column: String, value: SQLValue)] = [
            ("audit_id", (token.auditIDs.first ?? "").sql), ("audit_chain_id", token.chainID.sql), ("user_id", token.userID.sql),
        ]
        switch token.scope {
        case .project(let id): named.append(("project_id", id.sql))
        case .domain(let id): named.append(("domain_id", id.sql))
        case .system, .unscoped: break
        }
        if let trust = token.trustID { named.append(("trust_id", trust.sql)) }
        if let access = token.accessTokenID { named.append(("access_token_id", access.sql)) }
        let looks = named.map { "SELECT \(columns) FROM identity_revocation WHERE \($0.column) = ? AND revoked_at >= ?" }
        return (looks.joined(separator: " UNION ALL "), named.flatMap { [$0.value, token.issuedAt.sql] })
    }

    /// Deletes events that are older than any token can be. It deletes a bounded number at a time, so that other
    /// writers need not wait.
    ///
    /// - Returns: whether there may be more.
    func prune(before horizon: Timestamp, in tx: Transaction) throws -> Bool {
        let some = "SELECT id FROM identity_revocation WHERE revoked_at < ? ORDER BY revoked_at LIMIT \(Self.prunedAtOnce)"
        return try tx.execute("DELETE FROM identity_revocation WHERE id IN (\(some))", horizon) == Self.prunedAtOnce
    }

    private static let prunedAtOnce = 2000

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
