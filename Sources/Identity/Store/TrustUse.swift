import CloudCore
import SQL

/// Uses up trusts that may be used a number of times.
struct TrustUse: Sendable {
    struct Terms: Sendable {
        var projectID: ID<Kind.Project>?
        var expiresAt: Timestamp?
    }

    /// Takes one use of a trust and says what it gives.
    ///
    /// - Throws: `CloudError.unauthenticated` when there is no such trust, `.forbidden` for anybody but its trustee.
    func take(_ id: ID<Kind.Trust>, by user: ID<Kind.User>, at now: Timestamp, in tx: Transaction) throws -> Terms {
        guard
            let row = try tx.row(
                """
                SELECT trustee_user_id, project_id, expires_at, remaining_uses FROM identity_trust
                WHERE id = ? AND deleted_at IS NULL
                """, id)
        else { throw TokenService.refused("no such trust") }
        let end: Timestamp? = try row["expires_at"]
        let uses: Int? = try row["remaining_uses"]
        guard try row["trustee_user_id"] == user else { throw CloudError.forbidden("User is not a trustee.") }
        guard end.map({ now < $0 }) ?? true, uses.map({ $0 > 0 }) ?? true else { throw TokenService.refused("the trust has ended") }
        if uses != nil { try tx.execute("UPDATE identity_trust SET remaining_uses = remaining_uses - 1 WHERE id = ?", id) }
        return Terms(projectID: try row["project_id"], expiresAt: end)
    }
}
