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

    /// Returns what each project has in a pool, in the order of the projects' ids.
    func usage(in place: String, most: Int, tx: Transaction) throws -> [PoolUsage] {
        let volumes = try tx.rows(
            """
            SELECT project_id, count(*), CAST(sum(size) AS BIGINT) FROM volume WHERE place = ?
            GROUP BY project_id ORDER BY project_id LIMIT ?
            """, place, most)
        let snapshots = try tx.rows(
            """
            SELECT s.project_id, count(*), CAST(sum(s.size) AS BIGINT) FROM volume_snapshot s
            JOIN volume v ON v.id = s.volume_id WHERE v.place = ? GROUP BY s.project_id
            """, place)
        let taken = try snapshots.reduce(into: [String: (count: Int, size: Int)]()) { found, row in
            found[try row.value(at: 0)] = (try row.value(at: 1), try row.value(at: 2))
        }
        return try volumes.map { row in
            let project: String = try row.value(at: 0)
            let (snapshots, size) = taken[project] ?? (0, 0)
            return PoolUsage(
                project: project, volumes: try row.value(at: 1), volumeGiB: try row.value(at: 2), snapshots: snapshots,
                snapshotGiB: size)
        }
    }

    private static func host(_ row: Row) throws -> StorageHost {
        StorageHost(
            name: try row.value(at: 0), isDisabled: try row.value(at: 1), disabledReason: try row.value(at: 2),
            isFrozen: try row.value(at: 3), updatedAt: try row.value(at: 4))
    }
}
