import CloudCore
import Synchronization

/// SQLite in WAL mode: one thread writes, and who reads does it where it stands.
///
/// A read costs some microseconds, less than a way to another thread and back: it is done on the caller's thread while there is a connection for it.
/// What may take long says so (`Reading.long`), and goes to threads of its own, as does what comes when all connections are in use.
///
/// Transactions that wait for the writer are committed together (group commit): each has a savepoint of its own, and one
/// sync of the disk makes all of them durable. So the cost of a sync is shared exactly when there is a queue.
final class SQLiteEngine: Engine {
    let dialect = Dialect.sqlite
    private let writer: WorkerPool<SQLiteConnection, any GroupedWrite>
    private let readers: ClosurePool<SQLiteConnection>
    private let nearby: ReaderShelf
    private let revisions = Mutex<[Topic: Int64]>([:])

    /// Transactions that one commit may carry: bounded, so that the first of them does not wait long.
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
        } catch {
            failure = error
        }
        if failure != nil, writes.count > 1 {
            // One of them broke the commit (a deferred constraint) or the disk is full: alone, each has its own outcome.
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
            // What it ran into comes before what became of the group: on a full disk SQLite rolls back by itself, and the group then
            // fails because it has no savepoint any longer.
            case (_, .failure(let error)): continuation.resume(throwing: error)
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
    ///   - readers: connections that read at the same time, on their callers' threads and on those for what takes long: of each so many.
    ///   - durable: false leaves out syncing: for tests only.
    package static func sqlite(path: String, readers: Int = 3, durable: Bool = true) throws -> Database {
        Database(engine: try SQLiteEngine(path: path, readers: readers, durable: durable))
    }
}
