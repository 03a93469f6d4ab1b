import CloudCore

/// An open transaction. It exists only inside the closure of `Database.read` or `.write`. That closure is synchronous,
/// so it cannot wait for an agent, a client or another transaction; the type system ensures it.
package struct Transaction {
    let connection: any Connection
    let state: State
    package let dialect: Dialect
    package let isWritable: Bool

    final class State {
        /// The topics that the transaction changes, with the keys that it named.
        var topics: [Topic: Set<String>] = [:]
        /// The actions to run after the commit.
        var actions: [@Sendable () -> Void] = []
        /// The number of statements that were run.
        var statements = 0
        /// The reason why no more statements may run: the first error of the database, or the end of the closure.
        var failure: (any Error)?
    }

    /// The number of statements that this transaction has run, by which costs are counted.
    package var statements: Int { state.statements }

    /// Returns the rows of a query or of an `INSERT … RETURNING`. Each `?` stands for the next argument.
    package func rows(_ sql: String, _ arguments: any SQLConvertible...) throws -> [Row] {
        try rows(sql, arguments: arguments.map(\.sql))
    }

    package func rows(_ sql: String, arguments: [SQLValue]) throws -> [Row] {
        try asking { try connection.rows(sql, arguments) }
    }

    /// Returns the first row of a query, or nil.
    package func row(_ sql: String, _ arguments: any SQLConvertible...) throws -> Row? {
        try rows(sql, arguments: arguments.map(\.sql)).first
    }

    /// Returns the first column of the first row, or nil if there is no row.
    package func value<Value: SQLConvertible>(_ sql: String, _ arguments: any SQLConvertible...) throws -> Value? {
        try rows(sql, arguments: arguments.map(\.sql)).first?.value(at: 0)
    }

    /// Runs a statement that changes rows. Returns their number.
    @discardableResult
    package func execute(_ sql: String, _ arguments: any SQLConvertible...) throws -> Int {
        try execute(sql, arguments: arguments.map(\.sql))
    }

    @discardableResult
    package func execute(_ sql: String, arguments: [SQLValue]) throws -> Int {
        guard isWritable else { throw SQLError.misuse("a write in a reading transaction: \(SQLError.brief(sql))") }
        return try asking { try connection.execute(sql, arguments) }
    }

    /// Keeps other transactions from writing to a table until this one ends. It serves things that are created once, by
    /// the transaction that comes first.
    ///
    /// The call must be the first statement. PostgreSQL's LOCK takes no snapshot, so later reads see what the other
    /// transaction committed. Any earlier query, even one that locks, would fix the state before the wait. SQLite has
    /// only one writer, so there it does nothing.
    package func lock(_ table: String) throws {
        guard dialect == .postgreSQL else { return }
        try script("LOCK TABLE \(table) IN EXCLUSIVE MODE")
    }

    /// Marks the copies of a topic in memory as out of date once this transaction is committed.
    package func changed(_ topic: Topic) { state.topics[topic, default: []].formUnion([]) }

    /// Marks the entries of a topic with these keys as out of date. A reader that follows the topic
    /// (`changes(of:since:)`) reads only these entries again.
    package func changed(_ topic: Topic, _ keys: some Sequence<String>) { state.topics[topic, default: []].formUnion(keys) }

    /// Runs `action` after the commit, before `Database.write` returns; never after a rollback. It is for nudges to a
    /// loop that would otherwise notice the change later. The action may be lost with the process, so nothing may
    /// depend on it.
    package func afterCommit(_ action: @escaping @Sendable () -> Void) { state.actions.append(action) }
}

/// A part of the data of which code keeps a copy in memory.
package struct Topic: Hashable, Sendable {
    package let name: String
    package init(_ name: String) { self.name = name }
}

/// The revision of a topic. While two revisions are equal, nothing of the topic was committed in between.
package struct Revision: Hashable, Sendable {
    /// The number of commits that named the topic. It rises by one with each, so no number comes twice.
    let commits: Int64
}

package enum Dialect: Sendable {
    case sqlite, postgreSQL
}

/// One connection, used by one thread at a time.
protocol Connection: AnyObject, SendableMetatype {
    func rows(_ sql: String, _ arguments: [SQLValue]) throws -> [Row]
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int
    func script(_ sql: String) throws
    /// The watch over the transaction that runs, which may stop it.
    var vigil: Vigil { get }
    /// The steps of the database's machine since the connection was opened; 0 for a database that does not count them.
    var steps: Int { get }
    /// Closes the connection, which must not be used afterwards.
    func close()
}

// MARK: Running

extension Transaction {
    /// Runs a closure in the transaction that was begun on `connection`. If it throws, the caller must roll back.
    ///
    /// The first error of the database ends a transaction on both kinds, as PostgreSQL does by itself. Otherwise a
    /// closure could catch an error and return, and its caller would believe in rows that PostgreSQL never kept.
    static func run<Value>(
        on connection: any Connection, dialect: Dialect, isWritable: Bool, _ body: (Transaction) throws -> Value
    ) throws -> (Value, State) {
        let state = State()
        defer { state.failure = SQLError.misuse("a transaction was used after its end") }
        let value: Value
        do {
            value = try body(Transaction(connection: connection, state: state, dialect: dialect, isWritable: isWritable))
        } catch {
            // A closure may translate a violation into its own error. A transient error of the database is kept, so
            // that the transaction is run again, and so is the end of a transaction that was stopped.
            if let failure = state.failure as? SQLError, failure.isTransient || failure.isInterruption { throw failure }
            throw error
        }
        if let failure = state.failure { throw failure }
        return (value, state)
    }

    func asking<Value>(_ body: () throws -> Value) throws -> Value {
        if let failure = state.failure { throw failure }
        state.statements += 1
        do {
            try connection.vigil.check()
            return try body()
        } catch {
            state.failure = error
            throw error
        }
    }
}
