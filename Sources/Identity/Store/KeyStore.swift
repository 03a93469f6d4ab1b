import CloudCore
import SQL

/// SQL of `identity_key`, for lists. The keyring has the statements that touch the sealed bytes.
struct KeyStore: Sendable {
    /// Returns the keys of each purpose, the newest first.
    func list(in tx: Transaction) throws -> [KeyFacts] {
        var seen: Set<String> = []
        return try tx.rows(
            "SELECT id, purpose, created_at, used_from FROM identity_key ORDER BY purpose DESC, used_from DESC, id DESC"
        ).map { row in
            let purpose: String = try row["purpose"]
            return KeyFacts(
                id: try row["id"], purpose: purpose, createdAt: try row["created_at"], usedFrom: try row["used_from"],
                isCurrent: seen.insert(purpose).inserted)
        }
    }
}
