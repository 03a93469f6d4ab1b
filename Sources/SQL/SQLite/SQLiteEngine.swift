import CloudCore
import Synchronization

/// SQLite in WAL mode: one thread writes, and short reads run on the calling thread.
///
/// A read takes some microseconds, less than the way to another thread and back. So it runs on the thread of the caller
/// while a connection is free for it. A read that may take long (`Reading.long`) runs on a thread of its own pool, and
/// so does a short one while all connections are in use.
///
/// Transactions that wait for the writer are committed together (group commit): each has its own savepoint, and one
/// sync of the disk makes all of them durable. So the cost of a sync is shared exactly if there is a queue.
final class SQLiteEngine: Engine {
    let dialect = Dialect.sqlite
    private let writer: WorkerPool<SQLiteConnection, any GroupedWrite>
    private let readers: ClosurePool<SQLiteConnection>
    private let nearby: ReaderShelf
    private let revisions = Mutex<[Topic: Int64]>([:])

    /// The most transactions of one commit, so that the first of them does not wait long.
    private static let mostInGroup = 64

    init(path: String, readers count: Int, durable: Bool) throws {
        let first = try SQLiteConnection(path: path, isReader: false, durable: durable)
        try first.script(ChangeLog.sqliteTable)
        writer = WorkerPool(name: "sqlite-writer", workers: [first], batch: Self.mostInGroup, perform: Self.commitTogether)
        func reader() throws -> SQLiteConnection { try SQLiteConnection(path: path, isReader: true, durable: durable) }
        readers = WorkerPool(name: "sqlite-reader", workers: try (0..<count).map { _ in try reader() })
        nearby = ReaderShelf(try (0..<count).map { _ in try reader() })
    }

    func read<Value: Sendable>(
        _ reading: Reading, _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        if reading == .short, let connection = nearby.take() {
            defer { nearby.give(back: connection) }
            return try Self.read(connection, body)
        }
        return try await readers.run { try Self.read($0, body) }
    }

    private static func read<Value>(_ connection: SQLiteConnection, _ body: (Transaction) throws -> Value) throws -> Value {
        _ = try connection.execute("BEGIN DEFERRED", [])
        defer { _ = try? connection.execute("ROLLBACK", []) }
        return try Transaction.run(on: connection, dialect: .sqlite, isWritable: false, body).0
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

    func revisions(of topics: [Topic]) async throws -> [Revision] {
        revisions.withLock { counts in topics.map { Revision(commits: counts[$0] ?? 0) } }
    }

    func close() async {
        await nearby.close()
        await readers.close()
        await writer.close()
    }

    @Sendable private func committed(_ state: Transaction.State) {
        if !state.topics.isEmpty {
            revisions.withLock { revisions in for topic in state.topics.keys { revisions[topic, default: 0] += 1 } }
        }
        for action in state.actions { action() }
    }
}

// MARK: - Group commit

/// The transaction of one caller among those that are committed together.
private protocol GroupedWrite {
    /// Runs the closure of the caller and keeps its result. Returns false if its changes must be rolled back.
    func run(on connection: SQLiteConnection) -> Bool
    /// Resumes the caller after the commit, or after the failure of the whole group.
    func finish(groupFailure: (any Error)?)
}

extension SQLiteEngine {
    private static let commitTogether: @Sendable (SQLiteConnection, [any GroupedWrite]) -> Void = { connection, writes in
        var failure: (any Error)?
        do {
            do {
                _ = try connection.execute("BEGIN IMMEDIATE", [])
                for write in writes {
                    _ = try connection.execute("SAVEPOINT one", [])
                    if !write.run(on: connection) { _ = try connection.execute("ROLLBACK TO one", []) }
                    _ = try connection.execute("RELEASE one", [])
                }
                _ = try connection.execute("COMMIT", [])
            } catch {
                // SQLite may have rolled back by itself (a full disk); then there is nothing left to roll back.
                _ = try? connection.execute("ROLLBACK", [])
                throw error
            }
        } catch {
            failure = error
        }
        if failure != nil, writes.count > 1 {
            // One transaction broke the commit (a deferred constraint), or the disk is full. If they run one by one,
            // each has its own outcome.
            for write in writes { commitTogether(connection, [write]) }
        } else {
            for write in writes { write.finish(groupFailure: failure) }
        }
    }

    private final class Write<Value: Sendable>: GroupedWrite {
        private let body: (Transaction) throws -> Value
        private let committed: (Transaction.State) -> Void
        private let continuation: CheckedContinuation<Value, any Error>
        private var result: Result<(Value, Transaction.State), any Error>?

        init(
            body: @escaping (Transaction) throws -> Value, committed: @escaping (Transaction.State) -> Void,
            continuation: CheckedContinuation<Value, any Error>
        ) {
            self.body = body
            self.committed = committed
            self.continuation = continuation
        }

        func run(on connection: SQLiteConnection) -> Bool {
            do {
                let (value, state) = try Transaction.run(on: connection, dialect: .sqlite, isWritable: true, body)
                // Without keys the count in memory is enough: this process makes every commit.
                for (topic, keys) in state.topics where !keys.isEmpty { try ChangeLog.add(topic, keys, connection, .sqlite) }
                result = .success((value, state))
                return true
            } catch {
                result = .failure(error)
                return false
            }
        }

        func finish(groupFailure: (any Error)?) {
            switch (groupFailure, result) {
            case (nil, .success((let value, let state))):
                committed(state)
                continuation.resume(returning: value)
            // The error of the transaction comes before that of the group. On a full disk SQLite rolls back by itself,
            // and the group then fails because its savepoint is gone.
            case (_, .failure(let error)): continuation.resume(throwing: error)
            case (let failure?, _): continuation.resume(throwing: failure)
            case (nil, nil): continuation.resume(throwing: SQLError.misuse("a write was committed without being run"))
            }
        }
    }
}

extension Database {
    /// Opens the database file, and creates it if it does not exist.
    ///
    /// - Parameters:
    ///   - readers: the number of reading connections on the callers' threads; the pool for long reads has the same
    ///     number.
    ///   - durable: whether commits are synced to the disk; false is for tests only.
    package static func sqlite(path: String, readers: Int = 3, durable: Bool = true) throws -> Database {
        Database(engine: try SQLiteEngine(path: path, readers: readers, durable: durable))
    }
}
