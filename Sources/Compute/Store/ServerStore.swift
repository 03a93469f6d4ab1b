import CloudCore
import SQL

/// The rows of servers. The columns are for queries; `details` has the whole server.
struct ServerStore: Sendable {
    /// Conditions on servers; all must hold.
    struct Filter: Sendable {
        var projectID: String?
        var userID: String?
        var states: Set<VMState>?
        var host: String?
        var imageID: String?
        var flavorID: String?
        var ids: [String]?
        var changedSince: Timestamp?
        var changedBefore: Timestamp?
    }

    func find(_ id: ID<Kind.Server>, in tx: Transaction) throws -> Server? {
        try tx.row("SELECT details FROM compute_server WHERE id = ?", id).map(Self.server)
    }

    /// Returns a deleted server.
    func findArchived(_ id: ID<Kind.Server>, in tx: Transaction) throws -> Server? {
        try tx.row("SELECT details FROM compute_server_archive WHERE id = ?", id).map(Self.server)
    }

    /// Returns the servers, the newest first.
    func list(_ filter: Filter, in tx: Transaction) throws -> [Server] {
        let conditions = Self.conditions(filter, changed: "updated_at")
        return try tx.rows(
            "SELECT details FROM compute_server \(conditions.clause) ORDER BY created_at DESC, id DESC",
            arguments: conditions.arguments
        ).map(Self.server)
    }

    /// The columns that a page can be ordered by. None of them has nulls.
    enum Column: String, Sendable {
        case id, name
        case projectID = "project_id"
        case userID = "user_id"
        case state = "vm_state"
        case createdAt = "created_at"
        case updatedAt = "updated_at"

        fileprivate func value(of server: Server) -> SQLValue {
            switch self {
            case .id: server.id.text.sql
            case .name: server.name.sql
            case .projectID: server.projectID.sql
            case .userID: server.userID.sql
            case .state: server.state.rawValue.sql
            case .createdAt: server.createdAt.sql
            case .updatedAt: server.updatedAt.sql
            }
        }
    }

    /// Returns a page of the existing servers.
    ///
    /// - Parameters:
    ///   - order: the order, which ends with `id`, so that no two servers are equal.
    ///   - marker: the last server of the previous page; nil for the first page.
    func page(
        _ filter: Filter, by order: [(column: Column, ascending: Bool)], after marker: Server?, limit: Int, in tx: Transaction
    ) throws -> [Server] {
        try rows("details", filter, by: order, after: marker, limit: limit, in: tx).map(Self.server)
    }

    /// Returns the same page with only the values of a list without details. It does not decode `details`, which would
    /// cost more than the rest of the list.
    func briefPage(
        _ filter: Filter, by order: [(column: Column, ascending: Bool)], after marker: Server?, limit: Int, in tx: Transaction
    ) throws -> [ServerBrief] {
        try rows("id, name", filter, by: order, after: marker, limit: limit, in: tx)
            .map { ServerBrief(id: ID(try $0.value(at: 0)), name: try $0.value(at: 1)) }
    }

    private func rows(
        _ selected: String, _ filter: Filter, by order: [(column: Column, ascending: Bool)], after marker: Server?, limit: Int, in tx: Transaction
    ) throws -> [Row] {
        let order = try Keyset.distinct(order)
        let columns = order.map { (column: $0.column.rawValue, ascending: $0.ascending) }
        var conditions = Self.conditions(filter, changed: "updated_at")
        conditions.after(columns, marker.map { marker in order.map { $0.column.value(of: marker) } })
        return try tx.rows(
            "SELECT \(selected) FROM compute_server \(conditions.clause) \(Keyset.ordering(columns)) LIMIT ?",
            arguments: conditions.arguments + [limit.sql])
    }

    /// Returns the deleted servers, the last deleted first.
    func listArchived(_ filter: Filter, in tx: Transaction) throws -> [Server] {
        let wanted = filter
        var filter = filter
        (filter.states, filter.host, filter.imageID, filter.flavorID) = (nil, nil, nil, nil)
        let conditions = Self.conditions(filter, changed: "ended_at")
        let found = try tx.rows(
            "SELECT details FROM compute_server_archive \(conditions.clause) ORDER BY ended_at DESC, id DESC",
            arguments: conditions.arguments
        ).map(Self.server)
        // The archive has no columns for these conditions.
        return found.filter { server in
            wanted.states?.contains(server.state) != false && (wanted.host ?? server.host) == server.host
                && (wanted.imageID ?? server.image?.id.text) == server.image?.id.text && (wanted.flavorID ?? server.flavor.id.text) == server.flavor.id.text
        }
    }

    private static func conditions(_ filter: Filter, changed: String) -> Conditions {
        var conditions = Conditions()
        conditions.equal("project_id", filter.projectID)
        conditions.equal("user_id", filter.userID)
        conditions.equal("host", filter.host)
        conditions.equal("image_id", filter.imageID)
        conditions.equal("flavor_id", filter.flavorID)
        conditions.isIn("vm_state", filter.states.map { $0.map(\.rawValue).sorted() })
        conditions.isIn("id", filter.ids)
        conditions.atLeast(changed, filter.changedSince)
        conditions.atMost(changed, filter.changedBefore)
        return conditions
    }

    func insert(_ server: Server, in tx: Transaction) throws {
        // Most servers are on no host yet, and those of one request may be more than a commit can name.
        if server.host != nil || server.otherHost != nil { tx.touchedServers([server.id.text]) }
        try tx.execute(
            """
            INSERT INTO compute_server (id, number, project_id, user_id, name, vm_state, host, other_host, image_id, flavor_id, flavor_name, vcpus,
              ram, disk, group_id, generation, created_at, updated_at, launched_at, details)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, server.id, server.number, server.projectID, server.userID, server.name, server.state.rawValue, server.host,
            server.otherHost, server.image?.id, server.flavor.id, server.flavor.name, server.flavor.vcpus, server.flavor.ramMiB, Self.disk(server),
            server.groupID, server.generation, server.createdAt, server.updatedAt, server.launchedAt, try StoredJSON.text(server))
    }

    /// Updates the row of a server. It has no effect if the server has no row.
    func update(_ server: Server, in tx: Transaction) throws {
        tx.touchedServers([server.id.text])
        try tx.execute(
            """
            UPDATE compute_server SET name = ?, vm_state = ?, host = ?, other_host = ?, image_id = ?, flavor_id = ?, flavor_name = ?, vcpus = ?, ram = ?,
              disk = ?, group_id = ?, generation = ?, updated_at = ?, launched_at = ?, details = ? WHERE id = ?
            """, server.name, server.state.rawValue, server.host, server.otherHost, server.image?.id, server.flavor.id, server.flavor.name,
            server.flavor.vcpus, server.flavor.ramMiB, Self.disk(server), server.groupID, server.generation, server.updatedAt,
            server.launchedAt, try StoredJSON.text(server), server.id)
    }

    /// Moves the row to the archive, which keeps the values that lists of deleted servers show.
    func archive(_ server: Server, at now: Timestamp, in tx: Transaction) throws {
        var ended = server
        ended.state = .deleted
        ended.power = .none
        ended.endedAt = now
        ended.updatedAt = now
        // The archive does not keep the user data and the public key.
        (ended.userData, ended.publicKey) = (nil, nil)
        tx.touchedServers([server.id.text])
        try tx.execute("DELETE FROM compute_server WHERE id = ?", server.id)
        try tx.execute(
            """
            INSERT INTO compute_server_archive (id, project_id, user_id, name, flavor_name, vcpus, ram, disk, vm_state, launched_at,
              ended_at, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """, ended.id, ended.projectID, ended.userID, ended.name, ended.flavor.name, ended.flavor.vcpus, ended.flavor.ramMiB,
            Self.disk(ended), ended.state.rawValue, ended.launchedAt, now, try StoredJSON.text(ended))
    }

    private static func disk(_ server: Server) -> Int { server.flavor.diskGiB + server.flavor.ephemeralGiB }

    private static func server(_ row: Row) throws -> Server { try StoredJSON.value(from: try row.value(at: 0) as String) }
}
