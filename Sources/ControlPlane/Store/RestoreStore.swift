import CloudCore
import SQL

extension Schema {
    /// The cloud's own table, beside those of its services.
    static let cloud = Schema(
        service: "cloud",
        [
            Migration(
                1, "restores",
                "CREATE TABLE cloud_restore (restored_at INTEGER PRIMARY KEY, made_at INTEGER NOT NULL, version TEXT NOT NULL);")
        ])
}

/// SQL of `cloud_restore`: when the database came out of a backup.
struct RestoreStore: Sendable {
    /// - Parameters:
    ///   - madeAt: when the backup was made.
    ///   - version: the release that made it.
    func insert(at now: Timestamp, madeAt: Timestamp, version: String, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO cloud_restore (restored_at, made_at, version) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", now, madeAt, version)
    }

    /// Returns when it was restored last; nil for one that never was.
    func last(in tx: Transaction) throws -> Timestamp? {
        let at: Timestamp?? = try tx.value("SELECT max(restored_at) FROM cloud_restore")
        return at ?? nil
    }
}
