import CloudCore

/// The last commits of each topic and what they named, so that a copy in memory follows them instead of being read anew.
///
/// A row for each commit, with the keys that it named; the sum of `commits` grows by one with each. Rows are inserted, never
/// updated, so that two writers on PostgreSQL do not refuse each other over them, and each stands in the transaction that it
/// speaks of: one snapshot has the row if and only if it has the change. Numbers only make it quick to find the last rows; on
/// PostgreSQL they come in another order than the commits do, so nothing is concluded from them. Old rows are folded into the
/// row with number 0. A count and a highest number would not do as a revision: cutting off the tail while another commit is
/// under way can bring a pair of both back.
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

    /// Commits that the log certainly has. It is cut off each time when it has twice as many.
    static let kept: Int64 = 500
    /// Keys that a row may have. A commit that names more is one after which everything is read anew.
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
    /// The same on SQLite, where one writer numbers the commits without a gap.
    static let highest = "SELECT coalesce(max(number), 0) FROM sql_change WHERE topic = ?"
}

/// What was committed of a topic since somebody looked last.
package struct Changes: Sendable {
    /// What the commits named; nil when anything may have changed, because the log does not reach back so far or a commit
    /// named too much.
    package let keys: Set<String>?
    /// Where to go on from.
    package let position: ChangePosition
}

/// How far somebody has followed the changes of a topic.
package struct ChangePosition: Sendable {
    /// How many commits there were; the one thing that is sure not to have changed while nothing was committed.
    let commits: Int64
    /// The rows above `floor` that were there.
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
    /// How many commits of a topic that named keys this transaction sees: a number that rises with each, and that two states share
    /// only if they are the same.
    package func commits(of topic: Topic) throws -> Int64 {
        try value(dialect == .sqlite ? ChangeLog.highest : ChangeLog.sum, topic.name) ?? 0
    }

    /// What was committed of a topic between the position and the state that this transaction sees: exactly that, whatever
    /// other processes commit meanwhile. Without a position it says where to begin, and nil keys.
    ///
    /// It speaks of commits that named keys; one that named none changed nothing that is followed.
    package func changes(of topic: Topic, since position: ChangePosition?) throws -> Changes {
        let commits = try commits(of: topic)
        if let position {
            if commits == position.commits { return Changes(keys: [], position: position) }
            // The last rows are nearly always enough. Where they are not as many as the commits that there were, a transaction
            // with an old number was committed late: then all rows are looked at.
            for floor in [max(position.floor, position.highest - 64), position.floor] {
                let rows = try rows("SELECT number, commits, keys FROM sql_change WHERE topic = ? AND number > ?", topic.name, floor)
                let found = try rows.map {
                    (number: try $0.value(at: 0) as Int64, commits: try $0.value(at: 1) as Int64, keys: try $0.value(at: 2) as JSON?)
                }.filter { !position.seen.contains($0.number) }
                guard found.reduce(0, { $0 + $1.commits }) == commits - position.commits else { continue }
                let named = found.compactMap { $0.keys?.array?.compactMap(\.string) }
                return Changes(
                    keys: named.count == found.count ? Set(named.joined()) : nil,
                    position: ChangePosition(position, commits: commits, adding: found.map(\.number)))
            }
        }
        let numbers = try rows("SELECT number FROM sql_change WHERE topic = ? AND number > 0", topic.name)
        return Changes(keys: nil, position: ChangePosition(commits: commits, seen: Set(try numbers.map { try $0.value(at: 0) })))
    }
}
