import CloudCore
import Foundation

/// The engine for PostgreSQL. Each connection has its own thread, because blocking calls on threads are the fastest use
/// of libpq.
///
/// Writes are SERIALIZABLE. The stores are written for one writer at a time, as on SQLite; here PostgreSQL ensures the
/// same outcome. If it refuses one of two transactions, that one is run again.
final class PostgresEngine: Engine {
    let dialect = Dialect.postgreSQL
    private let connections: ClosurePool<PostgresConnection>

    /// The most attempts of one transaction; after them its caller gets the error.
    private static let mostAttempts = 30

    init(parameters: String, connections count: Int) throws {
        let all = (0..<count).map { _ in PostgresConnection(parameters: parameters) }
        // The first connection is opened now, so that wrong parameters show at the start and not at the first request.
        try all.first?.script(ChangeLog.postgresTable)
        connections = ClosurePool(
            name: "postgres", workers: all, limits: PoolLimits(threadsOfShare: max(1, count * 3 / 4)),
            close: { $0.close() })
    }

    /// Reads on a thread of the pool, however short the reading is: every statement waits for another process.
    func read<Value: Sendable>(
        _: Reading, _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        let budget = Budget.current
        return try await connections.run(for: budget?.share ?? .cloud) { connection in
            try connection.watching(budget) { try Self.attempt { try Self.read(connection, body) } }
        }
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        let budget = Budget.current
        return try await connections.run(for: budget?.share ?? .cloud) { connection in
            let (value, state) = try connection.watching(budget) {
                try Self.attempt { try Self.write(connection, body) }
            }
            for action in state.actions { action() }
            return value
        }
    }

    func revisions(of topics: [Topic]) async throws -> [Revision] {
        try await connections.run(for: Budget.current?.share ?? .cloud) { connection in
            try Self.attempt {
                let rows = try connection.rows(ChangeLog.sums(topics.count), topics.map { .text($0.name) })
                let counts = Dictionary(try rows.map { (try $0.value(at: 0) as String, try $0.value(at: 1) as Int64) }) { $1 }
                return topics.map { Revision(commits: counts[$0.name] ?? 0) }
            }
        }
    }

    func close() async { await connections.close() }

    // MARK: Transactions

    private static func read<Value>(
        _ connection: PostgresConnection, _ body: (Transaction) throws -> Value
    ) throws -> Value {
        try connection.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        defer { connection.rollBack() }
        return try Transaction.run(on: connection, dialect: .postgreSQL, isWritable: false, body).0
    }

    private static func write<Value>(
        _ connection: PostgresConnection, _ body: (Transaction) throws -> Value
    ) throws -> (Value, Transaction.State) {
        try connection.begin("BEGIN ISOLATION LEVEL SERIALIZABLE")
        do {
            let (value, state) = try Transaction.run(on: connection, dialect: .postgreSQL, isWritable: true, body)
            for (topic, keys) in state.topics { try ChangeLog.add(topic, keys, connection, .postgreSQL) }
            _ = try connection.execute("COMMIT", [])
            return (value, state)
        } catch {
            connection.rollBack()
            throw error
        }
    }

    /// Runs a transaction again that lost against another one, after a pause that grows and differs between threads.
    private static func attempt<Value>(_ body: () throws -> Value) throws -> Value {
        for attempt in 1..<mostAttempts {
            do {
                return try body()
            } catch SQLError.serializationFailure {
                Thread.sleep(forTimeInterval: Double.random(in: 0.0005...0.002) * Double(min(attempt, 10)))
            }
        }
        return try body()
    }

    /// The number of the advisory lock under which the schema is changed.
    static let lock = 7_305_808_869_231_650_401
}

extension Database {
    /// Opens a PostgreSQL database (version 15 or later).
    ///
    /// - Parameters:
    ///   - parameters: a libpq connection string or URI, such as `host=/run/postgresql dbname=novella`.
    ///   - connections: the number of sessions, and so of transactions at the same time.
    package static func postgreSQL(_ parameters: String, connections: Int = 8) throws -> Database {
        Database(engine: try PostgresEngine(parameters: parameters, connections: connections))
    }
}
