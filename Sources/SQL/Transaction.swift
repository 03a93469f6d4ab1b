import CloudCore

/// An open transaction. It exists only inside the closure that `Database.read` or `.write` was given, and that closure
/// is synchronous: nobody can wait for an agent, a client or another transaction in here. The type system keeps the rule.
package struct Transaction {
    let connection: any Connection
    let effects: Effects
    package let dialect: Dialect
    package let isWritable: Bool

    /// What is to happen once the transaction is durable.
    final class Effects {
        var topics: Set<Topic> = []
        var actions: [@Sendable () -> Void] = []
    }

    /// The rows that a query (or an `INSERT … RETURNING`) gives. `?` stands for the next argument.
    package func rows(_ sql: String, _ arguments: any SQLConvertible...) throws -> [Row] {
        try connection.rows(sql, arguments.map(\.sql))
    }

    package func rows(_ sql: String, arguments: [SQLValue]) throws -> [Row] { try connection.rows(sql, arguments) }

    /// The only row, or the first.
    package func row(_ sql: String, _ arguments: any SQLConvertible...) throws -> Row? {
        try connection.rows(sql, arguments.map(\.sql)).first
    }

    /// The first column of the first row.
    package func value<Value: SQLConvertible>(_ sql: String, _ arguments: any SQLConvertible...) throws -> Value? {
        try connection.rows(sql, arguments.map(\.sql)).first?.value(at: 0)
    }

    /// Runs a statement that changes rows, and says how many.
    @discardableResult
    package func execute(_ sql: String, _ arguments: any SQLConvertible...) throws -> Int {
        try execute(sql, arguments: arguments.map(\.sql))
    }

    @discardableResult
    package func execute(_ sql: String, arguments: [SQLValue]) throws -> Int {
        guard isWritable else { throw SQLError.misuse("a write in a reading transaction: \(sql)") }
        return try connection.execute(sql, arguments)
    }

    /// Says that what is kept in memory of this topic is out of date once this transaction is committed.
    package func changed(_ topic: Topic) { effects.topics.insert(topic) }

    /// Runs `action` after the commit, before the caller hears of it; never when the transaction is rolled back. It is
    /// for nudging what would otherwise notice later: it may be lost with the process, so nothing may depend on it.
    package func afterCommit(_ action: @escaping @Sendable () -> Void) { effects.actions.append(action) }
}

/// A part of the data that somebody keeps a copy of in memory.
package struct Topic: Hashable, Sendable {
    package let name: String
    package init(_ name: String) { self.name = name }
}

/// What can be known of a topic: as long as two revisions are equal, nothing of it was committed in between.
package struct Revision: Hashable, Sendable {
    let count: Int64
    let last: Int64
}

package enum Dialect: Sendable {
    case sqlite, postgreSQL
}

/// One connection, used by one thread at a time.
protocol Connection: AnyObject {
    func rows(_ sql: String, _ arguments: [SQLValue]) throws -> [Row]
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int
    func script(_ sql: String) throws
}
