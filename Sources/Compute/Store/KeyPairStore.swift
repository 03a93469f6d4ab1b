import CloudCore
import SQL

/// The rows of key pairs.
struct KeyPairStore: Sendable {
    private static let columns = "user_id, name, number, kind, public_key, fingerprint, created_at"

    func find(_ name: String, of user: String, in tx: Transaction) throws -> KeyPair? {
        try tx.row("SELECT \(Self.columns) FROM compute_key_pair WHERE user_id = ? AND name = ?", user, name).map(Self.pair)
    }

    func list(of user: String, in tx: Transaction) throws -> [KeyPair] {
        try tx.rows("SELECT \(Self.columns) FROM compute_key_pair WHERE user_id = ? ORDER BY name", user).map(Self.pair)
    }

    func count(of user: String, in tx: Transaction) throws -> Int {
        Int(try Ledger.compute.used(QuotaResource.keyPairs.rawValue, by: "", user: user, in: tx))
    }

    func insert(_ pair: KeyPair, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO compute_key_pair (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?)", pair.userID, pair.name, pair.number,
            pair.kind.rawValue, pair.publicKey, pair.fingerprint, pair.createdAt)
    }

    func delete(_ name: String, of user: String, in tx: Transaction) throws -> Bool {
        try tx.execute("DELETE FROM compute_key_pair WHERE user_id = ? AND name = ?", user, name) > 0
    }

    private static func pair(_ row: Row) throws -> KeyPair {
        KeyPair(
            userID: try row.value(at: 0), name: try row.value(at: 1), number: try row.value(at: 2),
            kind: KeyPair.Kind(rawValue: try row.value(at: 3)) ?? .ssh, publicKey: try row.value(at: 4), fingerprint: try row.value(at: 5),
            createdAt: try row.value(at: 6))
    }
}
