import CloudCore
import SQL

extension Schema {
    /// The tables that belong to the cloud itself and to none of its services.
    static let cloud = Schema(
        service: "cloud",
        [
            Migration(
                1, "restores",
                "CREATE TABLE cloud_restore (restored_at INTEGER PRIMARY KEY, made_at INTEGER NOT NULL, version TEXT NOT NULL);")
        ])
}

/// The SQL of `cloud_restore`: the times at which the database was restored from a backup.
struct RestoreStore: Sendable {
    /// Records a restore.
    ///
    /// - Parameters:
    ///   - madeAt: the time of the backup.
    ///   - version: the release that made the backup.
    func insert(at now: Timestamp, madeAt: Timestamp, version: String, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO cloud_restore (restored_at, made_at, version) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", now, madeAt, version)
    }

    /// Returns the time of the last restore; nil if there was none.
    func last(in tx: Transaction) throws -> Timestamp? {
        let at: Timestamp?? = try tx.value("SELECT max(restored_at) FROM cloud_restore")
        return at ?? nil
    }
}
