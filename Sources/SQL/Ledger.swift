/// The table of a service's usage, which the database itself keeps: triggers change it in the transaction that changes
/// the rows. No code writes it, and none adds rows up.
///
/// The table has a row for each project and resource, with an empty `user_id`, and one for each user in it. Readers
/// find all they need at one place of its key. On PostgreSQL the amount of a row is spread over slots, one for some
/// sessions each. Without slots two transactions that only delete would wait for each other and one would be run again.
package struct Ledger: Sendable {
    package let table: String
    let tallies: [Tally]

    package init(_ table: String, _ tallies: [Tally]) {
        self.table = table
        self.tallies = tallies
    }

    // MARK: Reading

    /// Returns the usage of all resources that an owner has any of.
    ///
    /// - Parameter user: the user in the project; empty for the whole project.
    package func used(by project: String, user: String = "", in tx: Transaction) throws -> [String: Int64] {
        var used: [String: Int64] = [:]
        let rows = try tx.rows(
            """
            SELECT resource, CAST(sum(used) AS BIGINT) FROM \(table) WHERE project_id = ? AND user_id = ?
            GROUP BY resource HAVING sum(used) <> 0
            """,
            project, user)
        for row in rows { used[try row.value(at: 0)] = try row.value(at: 1) as Int64 }
        return used
    }

    /// Returns the usage of one resource.
    package func used(_ resource: String, by project: String, user: String = "", in tx: Transaction) throws -> Int64 {
        try tx.value(
            """
            SELECT CAST(coalesce(sum(used), 0) AS BIGINT) FROM \(table)
            WHERE project_id = ? AND user_id = ? AND resource = ?
            """,
            project, user, resource) ?? 0
    }

    // MARK: Counting again

    /// An owner's resource of which the ledger has another amount than the rows.
    package struct Difference: Sendable, Equatable {
        package let project: String
        package let user: String
        package let resource: String
        package let kept: Int64
        package let counted: Int64
    }

    private static let mostDifferences = 100

    /// Counts all rows, and returns what the ledger has otherwise; the first 100 at most.
    package func differences(in tx: Transaction) throws -> [Difference] {
        let counted = tallies.map {
            "SELECT project_id, user_id, resource, 0, used FROM (\(Self.counted($0))) AS counts"
        }
        let rows = try tx.rows(
            """
            SELECT project_id, user_id, resource, CAST(sum(kept) AS BIGINT), CAST(sum(counted) AS BIGINT) FROM (
              SELECT project_id, user_id, resource, used AS kept, 0 AS counted FROM \(table)
              UNION ALL \(counted.joined(separator: " UNION ALL "))
            ) AS entries GROUP BY project_id, user_id, resource HAVING sum(kept) <> sum(counted)
            ORDER BY project_id, user_id, resource LIMIT ?
            """, Self.mostDifferences)
        return try rows.map { row in
            Difference(
                project: try row.value(at: 0), user: try row.value(at: 1), resource: try row.value(at: 2),
                kept: try row.value(at: 3),
                counted: try row.value(at: 4))
        }
    }

    /// Replaces the ledger by a fresh count of all rows.
    package func recount(in tx: Transaction) throws {
        try tx.execute("DELETE FROM \(table)")
        for tally in tallies { try tx.execute(Self.fill(table, tally)) }
    }

    // MARK: Schema

    /// Makes the table of a ledger and the triggers of its first tallies, and fills it from the present rows.
    package static func creation(of table: String, _ tallies: [Tally]) -> SchemaScript {
        let creation = """
            CREATE TABLE \(table) (
              project_id TEXT NOT NULL, user_id TEXT NOT NULL, resource TEXT NOT NULL, slot INTEGER NOT NULL DEFAULT 0,
              used INTEGER NOT NULL, PRIMARY KEY (project_id, user_id, resource, slot))
            """
        // Without a rowid a row is found by one search instead of two.
        let whole = SchemaScript(sqlite: creation + " WITHOUT ROWID;", postgreSQL: creation + ";")
        return tallies.reduce(whole) { $0 + addition(of: $1, to: table) }
    }

    /// Makes the triggers of a further tally, and adds the present rows.
    package static func addition(of tally: Tally, to table: String) -> SchemaScript {
        tally.triggers(in: table) + SchemaScript(fill(table, tally) + ";")
    }

    private static func fill(_ table: String, _ tally: Tally) -> String {
        """
        INSERT INTO \(table) (project_id, user_id, resource, used)
        SELECT project_id, user_id, resource, used FROM (\(counted(tally))) AS counts WHERE used <> 0
        ON CONFLICT (project_id, user_id, resource, slot) DO UPDATE SET used = \(table).used + excluded.used
        """
    }

    private static func counted(_ tally: Tally) -> String {
        """
        SELECT project_id, user_id, resource, CAST(sum(used) AS BIGINT) AS used FROM (
          SELECT '' AS project_id, '' AS user_id, '' AS resource, 0 AS used WHERE 1 = 0 UNION ALL \(tally.entries())
        ) AS entries GROUP BY project_id, user_id, resource
        """
    }

    // MARK: Slots

    /// The mark in a trigger's text for the slot of the session that runs it.
    static let thisSlot = "this_slot"

    /// Puts the slot of a session in the place of its mark. On SQLite, where one session writes, there is one slot.
    static func inSlots(_ text: String) -> SchemaScript {
        SchemaScript(
            sqlite: text.replacing(thisSlot, with: "0"),
            postgreSQL: text.replacing(thisSlot, with: "pg_backend_pid() % 16"))
    }
}
