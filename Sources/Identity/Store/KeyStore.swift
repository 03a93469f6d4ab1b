import CloudCore
import SQL

/// The sealed keys of the keyring.
struct KeyStore: Sendable {
    struct SealedKey: Sendable {
        var id: String
        var purpose: String
        var sealed: [UInt8]
        var usedFrom: Timestamp
    }

    /// Returns all keys, newest last.
    func all(in tx: Transaction) throws -> [SealedKey] {
        try tx.rows("SELECT id, purpose, sealed, used_from FROM identity_key ORDER BY used_from, id").map {
            SealedKey(
                id: try $0["id"], purpose: try $0["purpose"], sealed: try $0["sealed"], usedFrom: try $0["used_from"])
        }
    }

    /// Returns the moment since when the newest key of a purpose is used; nil if there is none.
    func newest(of purpose: String, in tx: Transaction) throws -> Timestamp? {
        try tx.value("SELECT used_from FROM identity_key WHERE purpose = ? ORDER BY used_from DESC LIMIT 1", purpose)
    }

    func insert(_ key: SealedKey, at now: Timestamp, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO identity_key (id, purpose, sealed, created_at, used_from) VALUES (?, ?, ?, ?, ?)",
            key.id, key.purpose, key.sealed, now, key.usedFrom)
    }

    /// Removes the token keys that were replaced before a moment. A key is replaced when the next one is taken into
    /// use.
    ///
    /// - Returns: whether any key was removed.
    func prune(before horizon: Timestamp, in tx: Transaction) throws -> Bool {
        try tx.execute(
            """
            DELETE FROM identity_key WHERE purpose = 'token' AND EXISTS (
              SELECT 1 FROM identity_key newer WHERE newer.purpose = 'token'
                AND newer.used_from > identity_key.used_from AND newer.used_from < ?)
            """, horizon) > 0
    }

    /// Returns the public facts about all keys, by purpose and newest first.
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
