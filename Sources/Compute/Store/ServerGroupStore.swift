import CloudCore
import SQL

/// The rows of server groups. The members are stored in the rows of servers.
struct ServerGroupStore: Sendable {
    private static let columns = "id, project_id, user_id, name, policy, most_per_host, created_at"

    func find(_ id: ID<ServerGroup>, in tx: Transaction) throws -> ServerGroup? {
        try tx.row("SELECT \(Self.columns) FROM compute_server_group WHERE id = ?", id).map { try group($0, in: tx) }
    }

    /// Returns the groups, the oldest first.
    ///
    /// - Parameter project: the project; nil for the groups of all projects.
    func list(of project: String?, in tx: Transaction) throws -> [ServerGroup] {
        let order = "ORDER BY created_at, id"
        let rows =
            if let project {
                try tx.rows("SELECT \(Self.columns) FROM compute_server_group WHERE project_id = ? \(order)", project)
            } else {
                try tx.rows("SELECT \(Self.columns) FROM compute_server_group \(order)")
            }
        return try rows.map { try group($0, in: tx) }
    }

    func count(of project: String, user: String?, in tx: Transaction) throws -> Int {
        Int(try Ledger.compute.used(QuotaResource.serverGroups.rawValue, by: project, user: user ?? "", in: tx))
    }

    /// Returns whether a host has a server of the group besides the given one.
    func hasHosts(_ id: ID<ServerGroup>, besides server: ID<Kind.Server>, in tx: Transaction) throws -> Bool {
        let sql = "SELECT id FROM compute_server WHERE group_id = ? AND id <> ? AND host IS NOT NULL LIMIT 1"
        return try tx.row(sql, id, server) != nil
    }

    func insert(_ group: ServerGroup, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO compute_server_group (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?)", group.id, group.projectID, group.userID,
            group.name, group.policy.rawValue, group.mostPerHost, group.createdAt)
    }

    func delete(_ id: ID<ServerGroup>, in tx: Transaction) throws {
        let left = try tx.rows("UPDATE compute_server SET group_id = NULL WHERE group_id = ? RETURNING id", id)
        tx.touchedServers(try left.map { try $0.value(at: 0) as String })
        try tx.execute("DELETE FROM compute_server_group WHERE id = ?", id)
    }

    private func group(_ row: Row, in tx: Transaction) throws -> ServerGroup {
        let id: ID<ServerGroup> = try row.value(at: 0)
        let members = try tx.rows("SELECT id FROM compute_server WHERE group_id = ? ORDER BY created_at, id", id)
        return ServerGroup(
            id: id, projectID: try row.value(at: 1), userID: try row.value(at: 2), name: try row.value(at: 3),
            policy: ServerGroup.Policy(rawValue: try row.value(at: 4)) ?? .affinity, mostPerHost: try row.value(at: 5),
            members: try members.map { try $0.value(at: 0) }, createdAt: try row.value(at: 6))
    }
}
