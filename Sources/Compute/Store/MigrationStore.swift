import CloudCore
import SQL

/// The rows of servers' migrations.
struct MigrationStore: Sendable {
    struct Filter: Sendable {
        var serverID: String?
        var projectID: String?
        var userID: String?
        /// The source or the destination.
        var host: String?
        var source: String?
        var status: String?
        var kind: String?
        var changedSince: Timestamp?
        var changedBefore: Timestamp?
    }

    private static let columns =
        "number, id, server_id, project_id, user_id, kind, status, source, destination, old_flavor, new_flavor, created_at, updated_at"

    private static let order = [(column: "created_at", ascending: false), (column: "number", ascending: false)]

    /// Returns the migrations, the newest first.
    func list(_ filter: Filter, in tx: Transaction) throws -> [ServerMigration] {
        let conditions = Self.conditions(filter)
        return try tx.rows(
            "SELECT \(Self.columns) FROM compute_migration \(conditions.clause) \(Keyset.ordering(Self.order))",
            arguments: conditions.arguments
        ).map(Self.migration)
    }

    /// Returns those of some hosts that servers were evacuated from and that may still have their machines.
    func evacuated(among hosts: [String], in tx: Transaction) throws -> Set<String> {
        var found: Set<String> = []
        for (list, arguments) in tx.pieces(of: hosts.map(\.sql)) {
            // The words are a part of the text, because the index is for them alone.
            let rows = try tx.rows(
                """
                SELECT DISTINCT source FROM compute_migration
                WHERE kind = 'evacuation' AND status = 'done' AND source \(list)
                """, arguments: arguments)
            for row in rows { found.insert(try row.value(at: 0)) }
        }
        return found
    }

    /// Returns a page of the migrations.
    ///
    /// - Throws: `CloudError.badRequest` if the page's marker is not in the list.
    func page(_ filter: Filter, _ page: Page, in tx: Transaction) throws -> [ServerMigration] {
        var conditions = Self.conditions(filter)
        if let marker = page.marker {
            var only = conditions
            only.equal("id", marker)
            let last = try tx.rows(
                "SELECT created_at, number FROM compute_migration \(only.clause)", arguments: only.arguments
            ).first
            guard let last else { throw page.lost(marker) }
            conditions.after(Self.order, last.values)
        }
        return try tx.rows(
            "SELECT \(Self.columns) FROM compute_migration \(conditions.clause) \(Keyset.ordering(Self.order)) LIMIT ?",
            arguments: conditions.arguments + [page.limit.sql]
        ).map(Self.migration)
    }

    private static func conditions(_ filter: Filter) -> Conditions {
        var conditions = Conditions()
        conditions.equal("server_id", filter.serverID)
        conditions.equal("project_id", filter.projectID)
        conditions.equal("user_id", filter.userID)
        if let host = filter.host { conditions.add("source = ? OR destination = ?", [host.sql, host.sql]) }
        conditions.equal("source", filter.source)
        conditions.equal("status", filter.status)
        conditions.equal("kind", filter.kind)
        conditions.atLeast("updated_at", filter.changedSince)
        conditions.atMost("updated_at", filter.changedBefore)
        return conditions
    }

    func insert(_ migration: ServerMigration, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO compute_migration (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            migration.number, migration.id, migration.serverID, migration.projectID, migration.userID, migration.kind.rawValue,
            migration.status, migration.source, migration.destination, migration.oldFlavor, migration.newFlavor, migration.createdAt,
            migration.updatedAt)
    }

    /// Sets the status of the server's latest migration, even if that has ended.
    ///
    /// - Parameter present: a status that is not replaced.
    func setStatus(
        _ status: String, ofServer id: ID<Kind.Server>, unless present: String = "", at now: Timestamp,
        in tx: Transaction
    ) throws {
        try tx.execute(
            """
            UPDATE compute_migration SET status = ?, updated_at = ? WHERE status <> ? AND number =
              (SELECT max(number) FROM compute_migration WHERE server_id = ?)
            """, status, now, present, id)
    }

    /// Sets the status of one migration.
    func setStatus(_ status: String, of id: String, at now: Timestamp, in tx: Transaction) throws {
        try tx.execute("UPDATE compute_migration SET status = ?, updated_at = ? WHERE id = ?", status, now, id)
    }

    /// Sets the destination of the server's latest migration.
    func setDestination(_ host: String, ofServer id: ID<Kind.Server>, in tx: Transaction) throws {
        try tx.execute(
            "UPDATE compute_migration SET destination = ? WHERE number = (SELECT max(number) FROM compute_migration WHERE server_id = ?)",
            host, id)
    }

    func delete(ofServer id: ID<Kind.Server>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM compute_migration WHERE server_id = ?", id)
    }

    private static func migration(_ row: Row) throws -> ServerMigration {
        ServerMigration(
            number: try row.value(at: 0), id: try row.value(at: 1), serverID: try row.value(at: 2), projectID: try row.value(at: 3),
            userID: try row.value(at: 4), kind: ServerMigration.Kind(rawValue: try row.value(at: 5)) ?? .migration,
            status: try row.value(at: 6), source: try row.value(at: 7), destination: try row.value(at: 8), oldFlavor: try row.value(at: 9),
            newFlavor: try row.value(at: 10), createdAt: try row.value(at: 11), updatedAt: try row.value(at: 12))
    }
}
