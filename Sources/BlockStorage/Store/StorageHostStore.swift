import CloudCore
import SQL

/// The rows of hosts with pools: the decisions of operators. A host without a row is enabled and not frozen.
struct StorageHostStore: Sendable {
    private static let columns = "name, is_disabled, disabled_reason, is_frozen, updated_at"

    func find(_ name: String, in tx: Transaction) throws -> StorageHost? {
        try tx.row("SELECT \(Self.columns) FROM volume_host WHERE name = ?", name).map(Self.host)
    }

    /// Returns the hosts about which something was decided.
    func list(in tx: Transaction) throws -> [String: StorageHost] {
        let hosts = try tx.rows("SELECT \(Self.columns) FROM volume_host").map(Self.host)
        return Dictionary(hosts.map { ($0.name, $0) }) { first, _ in first }
    }

    func put(_ host: StorageHost, in tx: Transaction) throws {
        try tx.execute("DELETE FROM volume_host WHERE name = ?", host.name)
        try tx.execute(
            "INSERT INTO volume_host (\(Self.columns)) VALUES (?, ?, ?, ?, ?)", host.name, host.isDisabled,
            host.disabledReason, host.isFrozen, host.updatedAt)
    }

    private static func host(_ row: Row) throws -> StorageHost {
        StorageHost(
            name: try row.value(at: 0), isDisabled: try row.value(at: 1), disabledReason: try row.value(at: 2),
            isFrozen: try row.value(at: 3), updatedAt: try row.value(at: 4))
    }
}
