import CloudCore
import SQL

/// The keys of the keyring as they lie in the database: sealed.
struct KeyStore: Sendable {
    struct SealedKey: Sendable {
        var id: String
        var purpose: String
        var sealed: [UInt8]
        var usedFrom: Timestamp
    }

    /// Returns all keys, the newest last.
    func all(in tx: Transaction) throws -> [SealedKey] {
        try tx.rows("SELECT id, purpose, sealed, used_from FROM identity_key ORDER BY used_from, id").map {
            SealedKey(
                id: try $0["id"], purpose: try $0["purpose"], sealed: try $0["sealed"], usedFrom: try $0["used_from"])
        }
    }

    /// Returns since when the newest key of a purpose is used; nil where there is none.
    func newest(of purpose: String, in tx: Transaction) throws -> Timestamp? {
        try tx.value("SELECT used_from FROM identity_key WHERE purpose = ? ORDER BY used_from DESC LIMIT 1", purpose)
    }

    func insert(_ key: SealedKey, at now: Timestamp, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO identity_key (id, purpose, sealed, created_at, used_from) VALUES (?, ?, ?, ?, ?)",
            key.id, key.purpose, key.sealed, now, key.usedFrom)
    }

    /// Removes token keys that were out of use at a moment. A key is out of use from the moment the next one came.
    ///
    /// - Returns: whether there were any.
    func prune(before horizon: Timestamp, in tx: Transaction) throws -> Bool {
        try tx.execute(
            """
            DELETE FROM identity_key WHERE purpose = 'token' AND EXISTS (
              SELECT 1 FROM identity_key newer WHERE newer.purpose = 'token'
                AND newer.used_from > identity_key.used_from AND newer.used_from < ?)
            """, horizon) > 0
    }

    /// Returns the keys of each purpose, the newest first, without their bytes.
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
