import CloudCore
import SQL

/// The servers that existed in a period: the rows of existing servers and of the archive.
struct UsageStore: Sendable {
    /// Returns the servers in the order in which they were launched.
    ///
    /// - Parameter project: the project; nil for all.
    func list(from start: Timestamp, to end: Timestamp, project: String?, in tx: Transaction) throws -> [UsageRecord] {
        let columns = "id, name, project_id, flavor_name, ram, disk, vcpus, vm_state, launched_at"
        let own = project == nil ? "" : "AND project_id = ?"
        let arguments = project.map { [$0.sql] } ?? []
        let rows = try tx.rows(
            """
            SELECT \(columns), NULL AS ended_at FROM compute_server WHERE launched_at IS NOT NULL AND launched_at < ? \(own)
            UNION ALL
            SELECT \(columns), ended_at FROM compute_server_archive
              WHERE launched_at IS NOT NULL AND launched_at < ? AND ended_at > ? \(own)
            ORDER BY launched_at, id
            """, arguments: [end.sql] + arguments + [end.sql, start.sql] + arguments)
        return try rows.map { row in
            UsageRecord(
                serverID: try row.value(at: 0), name: try row.value(at: 1), projectID: try row.value(at: 2), flavorName: try row.value(at: 3),
                memoryMiB: try row.value(at: 4), diskGiB: try row.value(at: 5), vcpus: try row.value(at: 6), state: try row.value(at: 7),
                launchedAt: try row.value(at: 8), endedAt: try row.value(at: 9))
        }
    }
}
