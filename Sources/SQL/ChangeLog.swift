import CloudCore

/// The log of the last commits of each topic and the keys that they named. A copy in memory follows the log instead of
/// being read again.
///
/// Each commit inserts a row with the keys that it named, so the sum of `commits` grows by one with each commit. Rows
/// are inserted and never updated, so that two writers on PostgreSQL do not conflict over them. A row is written in the
/// transaction that it describes: a snapshot has the row if and only if it has the change. The numbers only make it
/// quick to find the last rows. On PostgreSQL they come in another order than the commits, so nothing is concluded from
/// them. Old rows are folded into the row with number 0 on PostgreSQL, and deleted on SQLite, whose numbers have no
/// gaps. A count together with a highest number would not do as a revision on PostgreSQL: if the log is cut while
/// another commit is under way, an earlier pair can come back.
enum ChangeLog {
    static let sqliteTable = """
        CREATE TABLE IF NOT EXISTS sql_change (
          topic TEXT NOT NULL, number INTEGER NOT NULL, commits INTEGER NOT NULL DEFAULT 1, keys TEXT,
          PRIMARY KEY (topic, number)) WITHOUT ROWID
        """

    static let postgresTable = """
        DO $$ BEGIN
          PERFORM pg_advisory_xact_lock(\(PostgresEngine.lock));
          CREATE TABLE IF NOT EXISTS sql_change (
            topic TEXT NOT NULL, number BIGINT GENERATED ALWAYS AS IDENTITY, commits BIGINT NOT NULL DEFAULT 1, keys TEXT,
            PRIMARY KEY (topic, number));
          ALTER TABLE sql_change ADD COLUMN IF NOT EXISTS keys TEXT;
        END $$;
        """

    /// The distance in numbers between two cuts of the log, and of the rows that a cut keeps. On SQLite these are the
    /// last commits of the topic; on PostgreSQL they are fewer, because all topics share the numbers.
    static let kept: Int64 = 500
    /// The most keys of a row. A commit that names more stores none, and everything is read again after it.
    private static let mostKeys = 1000

    static func add(_ topic: Topic, _ keys: Set<String>, _ connection: any Connection, _ dialect: Dialect) throws {
        let text: SQLValue = keys.count > mostKeys ? .null : JSON.array(keys.sorted().map(JSON.string)).sql
        let insert =
            dialect == .postgreSQL
            ? "INSERT INTO sql_change (topic, keys) VALUES (?, ?) RETURNING number"
            : """
            INSERT INTO sql_change (number, topic, keys)
            SELECT coalesce(max(number), 0) + 1, ?1, ?2 FROM sql_change WHERE topic = ?1 RETURNING number
            """
        let number: Int64 = try connection.rows(insert, [.text(topic.name), text]).first?.value(at: 0) ?? 0
        if number.isMultiple(of: kept) { try fold(topic, below: number - kept, connection, dialect) }
    }

    private static func fold(_ topic: Topic, below number: Int64, _ connection: any Connection, _ dialect: Dialect) throws {
        let folded = try connection.rows(
            "DELETE FROM sql_change WHERE topic = ? AND number > 0 AND number < ? RETURNING commits", [.text(topic.name), .integer(number)])
        let commits = try folded.reduce(into: Int64(0)) { $0 += try $1.value(at: 0) }
        guard commits > 0, dialect == .postgreSQL else { return }
        _ = try connection.execute(
            """
            INSERT INTO sql_change (topic, number, commits) OVERRIDING SYSTEM VALUE VALUES (?, 0, ?)
            ON CONFLICT (topic, number) DO UPDATE SET commits = sql_change.commits + excluded.commits
            """, [.text(topic.name), .integer(commits)])
    }

    static func sums(_ topics: Int) -> String {
        let places = Array(repeating: "?", count: topics).joined(separator: ", ")
        return "SELECT topic, CAST(sum(commits) AS BIGINT) FROM sql_change WHERE topic IN (\(places)) GROUP BY topic"
    }

    static let sum = "SELECT coalesce(sum(commits), 0) FROM sql_change WHERE topic = ?"
    /// The same number on SQLite, where one writer numbers the commits without a gap.
    static let highest = "SELECT coalesce(max(number), 0) FROM sql_change WHERE topic = ?"
}

/// The commits of a topic since a position.
package struct Changes: Sendable {
    /// The keys that the commits named. Nil if anything may have changed, because the log does not reach back so far or
    /// a commit named too many keys.
    package let keys: Set<String>?
    /// The position for the next call.
    package let position: ChangePosition
}

/// The point up to which a reader has followed the changes of a topic.
package struct ChangePosition: Sendable {
    /// The number of commits. If it is the same at two looks, nothing was committed in between.
    let commits: Int64
    /// The numbers of the rows above `floor` that were there.
    private(set) var seen: Set<Int64>
    private(set) var floor: Int64 = 0
    private(set) var highest: Int64

    private static let mostSeen = 4096

    init(commits: Int64, seen: Set<Int64>) {
        self.commits = commits
        self.seen = seen
        highest = seen.max() ?? 0
    }

    fileprivate init(_ old: ChangePosition, commits: Int64, adding numbers: [Int64]) {
        self.commits = commits
        seen = old.seen.union(numbers)
        floor = old.floor
        highest = max(old.highest, numbers.max() ?? 0)
        guard seen.count > Self.mostSeen else { return }
        floor = seen.sorted()[Self.mostSeen / 2]
        seen = seen.filter { [floor] in $0 > floor }
    }
}

extension Transaction {
    /// Returns the number of commits of a topic that named keys, as this transaction sees them. It rises with each
    /// commit, so two equal numbers mean the same state.
    package func commits(of topic: Topic) throws -> Int64 {
        try value(dialect == .sqlite ? ChangeLog.highest : ChangeLog.sum, topic.name) ?? 0
    }

    /// Returns the commits of a topic between a position and the state that this transaction sees, exactly, whatever
    /// other processes commit meanwhile. Without a position it returns the position to begin with, and nil keys.
    ///
    /// Only commits that named keys count; a commit that named none changed nothing that a copy follows.
    package func changes(of topic: Topic, since position: ChangePosition?) throws -> Changes {
        let commits = try commits(of: topic)
        if let position {
            if commits == position.commits { return Changes(keys: [], position: position) }
            // The last rows are nearly always enough. If they hold fewer commits than there were, a transaction with an
            // old number was committed late, and all rows are read.
            for floor in [max(position.floor, position.highest - 64), position.floor] {
                let rows = try rows("SELECT number, commits, keys FROM sql_change WHERE topic = ? AND number > ?", topic.name, floor)
                // The keys of a row are parsed only if the row is new: there may be a thousand.
                let found = try rows.map { row in
                    (number: try row.value(at: 0) as Int64, commits: try row.value(at: 1) as Int64, row: row)
                }.filter { !position.seen.contains($0.number) }
                guard found.reduce(0, { $0 + $1.commits }) == commits - position.commits else { continue }
                let named = try found.compactMap { (try $0.row.value(at: 2) as JSON?)?.array?.compactMap(\.string) }
                return Changes(
                    keys: named.count == found.count ? Set(named.joined()) : nil,
                    position: ChangePosition(position, commits: commits, adding: found.map(\.number)))
            }
        }
        let numbers = try rows("SELECT number FROM sql_change WHERE topic = ? AND number > 0", topic.name)
        return Changes(keys: nil, position: ChangePosition(commits: commits, seen: Set(try numbers.map { try $0.value(at: 0) })))
    }
}
