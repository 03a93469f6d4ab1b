import CloudCore
import Resources
import SQL

/// The trusts with their roles, and the chains of redelegated trusts.
struct TrustStore: Sendable {
    let rows = ResourceStore<Trust>()

    func find(_ id: ID<Kind.Trust>, in tx: Transaction) throws -> Trust? {
        guard var trust = try rows.find(id, in: tx) else { return nil }
        let roles = try tx.rows("SELECT role_id FROM identity_trust_role WHERE trust_id = ?", id)
        trust.roleIDs = Set(try roles.map { try $0["role_id"] })
        return trust
    }

    /// Returns the trust, the one that it was redelegated from, and so on. The original trust is last.
    func chain(from trust: Trust, in tx: Transaction) throws -> [Trust] {
        var chain = [trust]
        while let id = chain[chain.count - 1].redelegatedTrustID, let source = try find(id, in: tx) { chain.append(source) }
        return chain
    }

    /// Returns the ids of all trusts that were redelegated from one, directly or not.
    func below(_ id: ID<Kind.Trust>, in tx: Transaction) throws -> [ID<Kind.Trust>] {
        try tx.rows(
            """
            WITH RECURSIVE below (id) AS (
              SELECT id FROM identity_trust WHERE redelegated_trust_id = ?
              UNION SELECT t.id FROM identity_trust t JOIN below b ON t.redelegated_trust_id = b.id)
            SELECT id FROM below ORDER BY id
            """, id
        ).map { try $0["id"] }
    }

    func insert(_ trust: Trust, in tx: Transaction) throws {
        try rows.insert(trust, in: tx)
        for role in trust.roleIDs.sorted() {
            try tx.execute("INSERT INTO identity_trust_role (trust_id, role_id) VALUES (?, ?)", trust.id, role)
        }
    }

    func count(of trustor: ID<Kind.User>, in tx: Transaction) throws -> Int {
        try tx.value("SELECT count(*) FROM identity_trust WHERE trustor_user_id = ?", trustor) ?? 0
    }

    /// Removes the trusts of a user that have expired or have no use left.
    func removeEnded(of trustor: ID<Kind.User>, at now: Timestamp, in tx: Transaction) throws {
        try tx.execute(
            """
            DELETE FROM identity_trust WHERE trustor_user_id = ? AND (expires_at < ? OR remaining_uses <= 0)
            """, trustor, now)
    }

    /// Counts a use of a trust with a number of uses. Returns false if none is left.
    func use(_ id: ID<Kind.Trust>, in tx: Transaction) throws -> Bool {
        try tx.execute("UPDATE identity_trust SET remaining_uses = remaining_uses - 1 WHERE id = ? AND remaining_uses > 0", id) > 0
    }
}
