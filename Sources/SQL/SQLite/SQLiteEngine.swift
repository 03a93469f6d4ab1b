import CloudCore
import Synchronization

/// SQLite in WAL mode: one thread writes, some read.
///
/// Transactions that wait for the writer are committed together (group commit): each has a savepoint of its own, and one
/// sync of the disk makes all of them durable. So the cost of a sync is shared exactly when there is a queue.
final class SQLiteEngine: Engine {
    let dialect = Dialect.sqlite
    private let writer: WorkerPool<SQLiteConnection, any GroupedWrite>
    private let readers: ClosurePool<SQLiteConnection>
    private let revisions = Mutex<[Topic: Int64]>([:])

    /// Transactions that one commit may carry: bounded, so that the first of them does not wait long.
    private static let mostInGroup = 64

    init(path: String, readers count: Int, durable: Bool) throws {
        let first = try SQLiteConnection(path: path, isReader: false, durable: durable)
        writer = WorkerPool(name: "sqlite-writer", workers: [first], batch: Self.mostInGroup, perform: Self.commitTogether)
        let connections = try (0..<count).map { _ in try SQLiteConnection(path: path, isReader: true, durable: durable) }
        readers = WorkerPool(name: "sqlite-reader", workers: connections)
    }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await readers.run { connection in
            try connection.use {
                _ = try connection.execute("BEGIN DEFERRED", [])
                defer { _ = try? connection.execute("ROLLBACK", []) }
                return try body(
                    Transaction(connection: connection, effects: .init(), dialect: .sqlite, isWritable: false))
            }
        }
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try writer.submit(Write(body: body, committed: committed, continuation: continuation))
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    func revision(of topic: Topic) async throws -> Revision {
        let count = revisions.withLock { $0[topic] ?? 0 }
        return Revision(count: count, last: count)
    }

    func close() async {
        await readers.close()
        await writer.close()
    }

    @Sendable private func committed(_ effects: Transaction.Effects) {
        if !effects.topics.isEmpty {
            revisions.withLock { revisions in for topic in effects.topics { revisions[topic, default: 0] += 1 } }
        }
        for action in effects.actions { action() }
    }
}

// MARK: - Group commit

/// One caller's transaction among those that are committed together.
private protocol GroupedWrite {
    /// Runs the caller's closure and keeps its result. False: what it did must be rolled back.
    func run(on connection: SQLiteConnection) -> Bool
    /// Tells the caller, after the commit or after the failure of the whole group.
    func finish(groupFailure: (any Error)?)
}

extension SQLiteEngine {
    private static let commitTogether: @Sendable (SQLiteConnection, [any GroupedWrite]) -> Void = { connection, writes in
        var failure: (any Error)?
        do {
            try connection.use {
                do {
                    _ = try connection.execute("BEGIN IMMEDIATE", [])
                    for write in writes {
                        _ = try connection.execute("SAVEPOINT one", [])
                        if !write.run(on: connection) { _ = try connection.execute("ROLLBACK TO one", []) }
                        _ = try connection.execute("RELEASE one", [])
                    }
                    _ = try connection.execute("COMMIT", [])
                } catch {
                    // SQLite may have rolled back by itself (a full disk): then there is nothing left to roll back.
                    _ = try? connection.execute("ROLLBACK", [])
                    throw error
                }
            }
        } catch {
            failure = error
        }
        for write in writes { write.finish(groupFailure: failure) }
    }

    private final class Write<Value: Sendable>: GroupedWrite {
        private let body: (Transaction) throws -> Value
        private let committed: (Transaction.Effects) -> Void
        private let continuation: CheckedContinuation<Value, any Error>
        private let effects = Transaction.Effects()
        private var result: Result<Value, any Error>?

        init(
            body: @escaping (Transaction) throws -> Value, committed: @escaping (Transaction.Effects) -> Void,
            continuation: CheckedContinuation<Value, any Error>
        ) {
            self.body = body
            self.committed = committed
            self.continuation = continuation
        }

        func run(on connection: SQLiteConnection) -> Bool {
            let transaction = Transaction(connection: connection, effects: effects, dialect: .sqlite, isWritable: true)
            do {
                result = .success(try body(transaction))
                return true
            } catch {
                result = .failure(error)
                return false
            }
        }

        func finish(groupFailure: (any Error)?) {
            switch (groupFailure, result) {
            case (nil, .success(let value)):
                committed(effects)
                continuation.resume(returning: value)
            case (nil, .failure(let error)): continuation.resume(throwing: error)
            case (let failure?, _): continuation.resume(throwing: failure)
            case (nil, nil): continuation.resume(throwing: SQLError.misuse("a write was committed without being run"))
            }
        }
    }
}

extension Database {
    /// Opens the file, and makes it if it is not there.
    ///
    /// - Parameters:
    ///   - readers: connections that read at the same time.
    ///   - durable: false leaves out syncing: for tests only.
    package static func sqlite(path: String, readers: Int = 4, durable: Bool = true) throws -> Database {
        Database(engine: try SQLiteEngine(path: path, readers: readers, durable: durable))
    }
}
