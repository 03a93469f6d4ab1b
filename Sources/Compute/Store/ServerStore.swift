import CloudCore
import SQL

/// The rows of servers. The columns are for queries; `details` has the whole server.
struct ServerStore: Sendable {
    func find(_ id: ID<Kind.Server>, in tx: Transaction) throws -> Server? {
        try tx.row("SELECT details FROM compute_server WHERE id = ?", id).map(Self.server)
    }

    /// The columns of `stored(_:)`.
    private static let columns = "details, id, project_id, host, vm_state"

    /// Returns a server as its row has it.
    func findStored(_ id: ID<Kind.Server>, in tx: Transaction) throws -> StoredServer? {
        try tx.row("SELECT \(Self.columns) FROM compute_server WHERE id = ?", id).map(Self.stored)
    }

    /// Returns a deleted server.
    func findArchived(_ id: ID<Kind.Server>, in tx: Transaction) throws -> Server? {
        try tx.row("SELECT details FROM compute_server_archive WHERE id = ?", id).map(Self.server)
    }

    /// Returns some servers by their ids. The result has no server for an id without a row.
    func find(_ ids: [String], in tx: Transaction) throws -> [Server] {
        try tx.pieces(of: ids.map(\.sql)).flatMap { list, arguments in
            try tx.rows("SELECT details FROM compute_server WHERE id \(list)", arguments: arguments).map(Self.server)
        }
    }

    /// Returns all servers of a table, the newest first.
    func list(_ table: ServerTable = .existing, in tx: Transaction) throws -> [Server] {
        try tx.rows("SELECT details FROM \(table.rawValue) ORDER BY created_at DESC, id DESC").map(Self.server)
    }

    func insert(_ server: Server, in tx: Transaction) throws {
        // Most servers are on no host yet, and those of one request may be more than a commit can name.
        if server.host != nil || server.otherHost != nil { tx.touchedServers([server.id.text]) }
        try tx.execute(
            """
            INSERT INTO compute_server (id, number, project_id, user_id, name, vm_state, host, other_host, image_id, flavor_id, flavor_name, vcpus,
              ram, disk, disk_on_host, group_id, generation, created_at, updated_at, launched_at, details)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, server.id, server.number, server.projectID, server.userID, server.name, server.state.rawValue, server.host,
            server.otherHost, server.image?.id, server.flavor.id, server.flavor.name, server.flavor.vcpus, server.flavor.ramMiB, Self.disk(server),
            server.diskOnHostGiB, server.groupID, server.generation, server.createdAt, server.updatedAt,
            server.launchedAt, try StoredJSON.text(server))
        try add(server.tags, to: server, in: tx)
    }

    /// Adds the tags that a server does not have yet.
    private func add(_ tags: [String], to server: Server, in tx: Transaction) throws {
        guard !tags.isEmpty else { return }
        try tx.execute(
            "INSERT INTO compute_server_tag (server_id, tag) VALUES \(tags.map { _ in "(?, ?)" }.joined(separator: ", ")) ON CONFLICT DO NOTHING",
            arguments: tags.flatMap { [server.id.sql, $0.sql] })
    }

    /// Updates the row of a server. It has no effect if the server has no row.
    ///
    /// The columns that seldom change have a statement of their own, because SQLite writes every index of a column that
    /// a statement names.
    func update(_ server: Server, in tx: Transaction) throws {
        tx.touchedServers([server.id.text])
        let changed = try tx.execute(
            """
            UPDATE compute_server SET vm_state = ?, host = ?, other_host = ?, generation = ?, updated_at = ?, launched_at = ?,
              details = ? WHERE id = ?
            """, server.state.rawValue, server.host, server.otherHost, server.generation, server.updatedAt,
            server.launchedAt,
            try StoredJSON.text(server), server.id)
        guard changed > 0 else { return }
        let columns = [
            "name", "image_id", "flavor_id", "flavor_name", "vcpus", "ram", "disk", "disk_on_host", "group_id",
        ]
        let flavor = server.flavor
        let values: [SQLValue] = [
            server.name.sql, server.image?.id.sql ?? .null, flavor.id.sql, flavor.name.sql, flavor.vcpus.sql,
            flavor.ramMiB.sql,
            Self.disk(server).sql, server.diskOnHostGiB.sql, server.groupID.sql,
        ]
        let differs = columns.map { column in
            switch column {
            case "image_id", "group_id": "coalesce(\(column), '') <> coalesce(?, '')"
            case "disk_on_host": "coalesce(\(column), -1) <> ?"
            default: "\(column) <> ?"
            }
        }
        try tx.execute(
            """
            UPDATE compute_server SET \(columns.map { "\($0) = ?" }.joined(separator: ", "))
            WHERE id = ? AND (\(differs.joined(separator: " OR ")))
            """, arguments: values + [server.id.sql] + values)
        var old = Conditions()
        old.equal("server_id", server.id)
        if !server.tags.isEmpty {
            old.add("tag NOT IN (\(server.tags.map { _ in "?" }.joined(separator: ", ")))", server.tags.map(\.sql))
        }
        try tx.execute("DELETE FROM compute_server_tag \(old.clause)", arguments: old.arguments)
        try add(server.tags, to: server, in: tx)
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
            INSERT INTO compute_server_archive (id, project_id, user_id, name, host, image_id, flavor_id, flavor_name, vcpus, ram, disk,
              vm_state, created_at, launched_at, ended_at, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """, ended.id, ended.projectID, ended.userID, ended.name, ended.host, ended.image?.id, ended.flavor.id,
            ended.flavor.name,
            ended.flavor.vcpus, ended.flavor.ramMiB, Self.disk(ended), ended.state.rawValue, ended.createdAt,
            ended.launchedAt, now,
            try StoredJSON.text(ended))
    }

    private static func disk(_ server: Server) -> Int { server.flavor.diskGiB + server.flavor.ephemeralGiB }

    static func stored(_ row: Row) throws -> StoredServer {
        StoredServer(
            id: ID(try row.value(at: 1)), projectID: try row.value(at: 2), host: try row.value(at: 3),
            state: try state(row, at: 4), document: try row.value(at: 0))
    }

    static func state(_ row: Row, at position: Int) throws -> VMState {
        let word: String = try row.value(at: position)
        guard let state = VMState(rawValue: word) else { throw SQLError.misuse("'\(word)' is no state") }
        return state
    }

    private static func server(_ row: Row) throws -> Server { try StoredJSON.value(from: try row.value(at: 0) as String) }
}
