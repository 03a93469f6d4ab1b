import CloudCore
import SQL

/// The servers that existed in a period: the rows of existing servers and of the archive.
struct UsageStore: Sendable {
    /// The times between which servers existed, and their project; nil for all projects.
    struct Period: Sendable {
        var start: Timestamp
        var end: Timestamp
        var project: String?
    }

    private static let columns = "id, name, project_id, flavor_name, ram, disk, vcpus, vm_state, launched_at"
    private static let order = [(column: "launched_at", ascending: true), (column: "id", ascending: true)]

    /// Returns the servers in the order in which they were launched.
    ///
    /// - Parameter page: the page; nil for all servers.
    /// - Throws: `CloudError.badRequest` if the page's marker is not in the list.
    func list(_ period: Period, _ page: Page?, in tx: Transaction) throws -> [UsageRecord] {
        let last = try page.flatMap { page in
            try page.marker.map { marker in
                guard let last = try read(period, only: marker, after: nil, limit: 1, in: tx).first else {
                    throw page.lost(marker)
                }
                return last
            }
        }
        return try read(period, only: nil, after: last, limit: page?.limit ?? .max, in: tx)
    }

    /// Reads a page of each of the two tables, and joins them.
    private func read(
        _ period: Period, only id: String?, after last: UsageRecord?, limit: Int, in tx: Transaction
    ) throws -> [UsageRecord] {
        func part(_ table: ServerTable) -> (sql: String, arguments: [SQLValue]) {
            var conditions = Conditions()
            conditions.equal("id", id)
            conditions.equal("project_id", period.project)
            conditions.add("launched_at < ?", [period.end.sql])
            if table == .archive { conditions.add("ended_at > ?", [period.start.sql]) }
            conditions.after(Self.order, last.map { [$0.launchedAt.sql, $0.serverID.sql] })
            let ended = table == .archive ? "ended_at" : "CAST(NULL AS BIGINT) AS ended_at"
            let sql =
                "SELECT \(Self.columns), \(ended) FROM \(table.rawValue) \(conditions.clause) \(Keyset.ordering(Self.order)) LIMIT ?"
            return ("SELECT * FROM (\(sql)) AS \(table.rawValue)_page", conditions.arguments + [limit.sql])
        }
        let (existing, archived) = (part(.existing), part(.archive))
        return try tx.rows(
            "\(existing.sql) UNION ALL \(archived.sql) \(Keyset.ordering(Self.order)) LIMIT ?",
            arguments: existing.arguments + archived.arguments + [limit.sql]
        ).map(Self.record)
    }

    private static func record(_ row: Row) throws -> UsageRecord {
        UsageRecord(
            serverID: try row.value(at: 0), name: try row.value(at: 1), projectID: try row.value(at: 2),
            flavorName: try row.value(at: 3),
            memoryMiB: try row.value(at: 4), diskGiB: try row.value(at: 5), vcpus: try row.value(at: 6),
            state: try row.value(at: 7),
            launchedAt: try row.value(at: 8), endedAt: try row.value(at: 9))
    }
}
