import CloudCore

/// An open transaction. It exists only inside the closure that `Database.read` or `.write` was given, and that closure
/// is synchronous: nobody can wait for an agent, a client or another transaction in here. The type system keeps the rule.
package struct Transaction {
    let connection: any Connection
    let state: State
    package let dialect: Dialect
    package let isWritable: Bool

    final class State {
        /// What is to happen once the transaction is durable.
        var topics: [Topic: Set<String>] = [:]
        var actions: [@Sendable () -> Void] = []
        /// How often the database was asked.
        var statements = 0
        /// Why nothing more can be asked: the first error of the database, or the closure's end.
        var failure: (any Error)?
    }

    /// Statements that this transaction has run: what something costs is counted, not guessed.
    package var statements: Int { state.statements }

    /// The rows that a query (or an `INSERT … RETURNING`) gives. `?` stands for the next argument.
    package func rows(_ sql: String, _ arguments: any SQLConvertible...) throws -> [Row] {
        try rows(sql, arguments: arguments.map(\.sql))
    }

    package func rows(_ sql: String, arguments: [SQLValue]) throws -> [Row] {
        try asking { try connection.rows(sql, arguments) }
    }

    /// The only row, or the first.
    package func row(_ sql: String, _ arguments: any SQLConvertible...) throws -> Row? {
        try rows(sql, arguments: arguments.map(\.sql)).first
    }

    /// The first column of the first row.
    package func value<Value: SQLConvertible>(_ sql: String, _ arguments: any SQLConvertible...) throws -> Value? {
        try rows(sql, arguments: arguments.map(\.sql)).first?.value(at: 0)
    }

    /// Runs a statement that changes rows, and says how many.
    @discardableResult
    package func execute(_ sql: String, _ arguments: any SQLConvertible...) throws -> Int {
        try execute(sql, arguments: arguments.map(\.sql))
    }

    @discardableResult
    package func execute(_ sql: String, arguments: [SQLValue]) throws -> Int {
        guard isWritable else { throw SQLError.misuse("a write in a reading transaction: \(SQLError.brief(sql))") }
        return try asking { try connection.execute(sql, arguments) }
    }

    /// Lets nobody else write to the table until this transaction ends: for what is made once, by whoever comes first.
    ///
    /// It must be the first statement. PostgreSQL's LOCK takes no snapshot, so what is read after the wait is what the
    /// other one committed; any query before it, even one that locks, would fix the state of before the wait. SQLite has
    /// one writer anyway.
    package func lock(_ table: String) throws {
        guard dialect == .postgreSQL else { return }
        try script("LOCK TABLE \(table) IN EXCLUSIVE MODE")
    }

    /// Says that what is kept in memory of this topic is out of date once this transaction is committed.
    package func changed(_ topic: Topic) { state.topics[topic, default: []].formUnion([]) }

    /// The same, and says what of it: who follows the topic (`changes(of:since:)`) reads what has these keys, and nothing else.
    package func changed(_ topic: Topic, _ keys: some Sequence<String>) { state.topics[topic, default: []].formUnion(keys) }

    /// Runs `action` after the commit, before the caller hears of it; never when the transaction is rolled back. It is
    /// for nudging what would otherwise notice later: it may be lost with the process, so nothing may depend on it.
    package func afterCommit(_ action: @escaping @Sendable () -> Void) { state.actions.append(action) }
}

/// A part of the data that somebody keeps a copy of in memory.
package struct Topic: Hashable, Sendable {
    package let name: String
    package init(_ name: String) { self.name = name }
}

/// What can be known of a topic: as long as two revisions are equal, nothing of it was committed in between.
package struct Revision: Hashable, Sendable {
    /// Commits that named the topic: one more with each, so none comes twice.
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
    /// Ends the connection. Nothing is asked of it afterwards.
    func close()
}

// MARK: Running

extension Transaction {
    /// Runs a closure in the transaction that was begun on `connection`. What it throws must be rolled back.
    ///
    /// The first error of the database is the end of a transaction on both, as PostgreSQL has it: a closure that
    /// catches one and returns would otherwise be told that rows are there which PostgreSQL never kept.
    static func run<Value>(
        on connection: any Connection, dialect: Dialect, isWritable: Bool, _ body: (Transaction) throws -> Value
    ) throws -> (Value, State) {
        let state = State()
        defer { state.failure = SQLError.misuse("a transaction was used after its end") }
        let value: Value
        do {
            value = try body(Transaction(connection: connection, state: state, dialect: dialect, isWritable: isWritable))
        } catch {
            // A closure may give a violation its own name. What may be tried again keeps the name that says so.
            if let failure = state.failure as? SQLError, failure.isTransient { throw failure }
            throw error
        }
        if let failure = state.failure { throw failure }
        return (value, state)
    }

    func asking<Value>(_ body: () throws -> Value) throws -> Value {
        if let failure = state.failure { throw failure }
        state.statements += 1
        do {
            return try body()
        } catch {
            state.failure = error
            throw error
        }
    }
}
