import CloudCore
import Synchronization

/// SQLite in WAL mode: one thread writes, and short reads run on the calling thread.
///
/// A read takes some microseconds, less than the way to another thread and back. So it runs on the thread of the caller
/// while a connection is free for it. A read that may take long (`Reading.long`) runs on a thread of its own pool. So
/// does a short one while all connections are in use, and a short one that turns out to be long: it is stopped after
/// some milliseconds and begins again on such a thread.
///
/// Transactions that wait for the writer are committed together (group commit): each has its own savepoint, and one
/// sync of the disk makes all of them durable. So the cost of a sync is shared exactly if there is a queue.
final class SQLiteEngine: Engine {
    let dialect = Dialect.sqlite
    private let writer: WorkerPool<SQLiteConnection, any GroupedWrite>
    private let readers: ClosurePool<SQLiteConnection>
    private let nearby: ReaderShelf
    private let revisions = Mutex<[Topic: Int64]>([:])

    /// The most transactions of one commit.
    private static let mostInGroup = 64
    /// The time after which no further transaction joins a commit, so that the first of them does not wait long.
    private static let groupTime = Duration.milliseconds(10)
    /// The most work of a short read: some two milliseconds of SQLite's, and as much for making values of the rows.
    private static let shortRead = Vigil.Work(looks: 40, rows: 600)
    /// The time that a request's write may hold the one writer.
    private static let writeLimit = Duration.seconds(10)

    init(path: String, readers count: Int, durable: Bool) throws {
        let first = try SQLiteConnection(path: path, .writes, durable: durable)
        try first.script(ChangeLog.sqliteTable)
        writer = WorkerPool(
            name: "sqlite-writer", workers: [first], perform: { Self.commitTogether($0, $1, $2) },
            close: { $0.close() })
        // One share leaves a thread for the others.
        let shared = PoolLimits(threadsOfShare: max(1, count - 1))
        readers = WorkerPool(
            name: "sqlite-reader",
            workers: try (0..<count).map { _ in try SQLiteConnection(path: path, .readsLong, durable: durable) },
            limits: shared, close: { $0.close() })
        nearby = ReaderShelf(try (0..<count).map { _ in try SQLiteConnection(path: path, .reads, durable: durable) })
    }

    func read<Value: Sendable>(
        _ reading: Reading, _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        let budget = Budget.current
        if reading == .short, let value = try readNearby(budget, body) { return value }
        return try await readers.run(for: budget?.share ?? .cloud) { connection in
            connection.vigil.begin(budget)
            return try Self.read(connection, body)
        }
    }

    /// Reads on the thread of the caller.
    ///
    /// - Returns: nil if no connection is free, or if the read is too long for this thread.
    private func readNearby<Value>(_ budget: Budget?, _ body: (Transaction) throws -> Value) throws -> Value? {
        guard let connection = nearby.take() else { return nil }
        defer { nearby.give(back: connection) }
        connection.vigil.begin(budget, work: Self.shortRead)
        do {
            return try Self.read(connection, body)
        } catch SQLError.interrupted where connection.vigil.isTooLong {
            return nil
        }
    }

    private static func read<Value>(_ connection: SQLiteConnection, _ body: (Transaction) throws -> Value) throws -> Value {
        defer { connection.vigil.end() }
        _ = try connection.execute("BEGIN DEFERRED", [])
        defer { _ = try? connection.execute("ROLLBACK", []) }
        return try Transaction.run(on: connection, dialect: .sqlite, isWritable: false, body).0
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        let budget = Budget.current
        return try await withCheckedThrowingContinuation { continuation in
            do {
                let write = Write(
                    budget: budget, limit: Self.writeLimit, body: body, committed: committed, continuation: continuation
                )
                try writer.submit(write, for: budget?.share ?? .cloud)
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    func revisions(of topics: [Topic]) async throws -> [Revision] {
        revisions.withLock { counts in topics.map { Revision(commits: counts[$0] ?? 0) } }
    }

    func releaseMemory() async throws {
        nearby.withFree { $0.releaseMemory() }
        // As a transaction of its own: only the writer's thread may use its connection.
        try await write { tx in (tx.connection as? SQLiteConnection)?.releaseMemory() }
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
    /// Whether the transaction was stopped. It must not run again.
    var isStopped: Bool { get }
    /// Resumes the caller after the commit, or after the failure of the whole group.
    func finish(groupFailure: (any Error)?)
}

extension SQLiteEngine {
    /// Runs transactions that wait in one commit.
    ///
    /// - Parameter next: returns the next transaction that waits; nil if none does.
    private static func commitTogether(
        _ connection: SQLiteConnection, _ first: any GroupedWrite, _ next: () -> (any GroupedWrite)?
    ) {
        var writes: [any GroupedWrite] = []
        do {
            try run(connection) {
                let began = ContinuousClock.now
                var waiting: (any GroupedWrite)? = first
                while let write = waiting {
                    writes.append(write)
                    _ = try connection.execute("SAVEPOINT one", [])
                    if !write.run(on: connection) { _ = try connection.execute("ROLLBACK TO one", []) }
                    _ = try connection.execute("RELEASE one", [])
                    waiting = writes.count < mostInGroup && ContinuousClock.now - began < groupTime ? next() : nil
                }
            }
            for write in writes { write.finish(groupFailure: nil) }
        } catch {
            if writes.isEmpty { return first.finish(groupFailure: error) }
            guard writes.count > 1 else { return writes[0].finish(groupFailure: error) }
            // One transaction broke the commit (a deferred constraint), or the disk is full, or SQLite rolled back all
            // of them because one was stopped. If they run one by one, each has its own outcome.
            for write in writes where write.isStopped { write.finish(groupFailure: error) }
            for write in writes where !write.isStopped { commitTogether(connection, write, { nil }) }
        }
    }

    /// Runs one commit.
    private static func run(_ connection: SQLiteConnection, _ body: () throws -> Void) throws {
        do {
            _ = try connection.execute("BEGIN IMMEDIATE", [])
            try body()
            _ = try connection.execute("COMMIT", [])
        } catch {
            // SQLite may have rolled back by itself (a full disk); then there is nothing left to roll back.
            _ = try? connection.execute("ROLLBACK", [])
            throw error
        }
    }

    private final class Write<Value: Sendable>: GroupedWrite {
        private let budget: Budget?
        private let limit: Duration
        private let body: (Transaction) throws -> Value
        private let committed: (Transaction.State) -> Void
        private let continuation: CheckedContinuation<Value, any Error>
        private var result: Result<(Value, Transaction.State), any Error>?

        init(
            budget: Budget?, limit: Duration, body: @escaping (Transaction) throws -> Value,
            committed: @escaping (Transaction.State) -> Void,
            continuation: CheckedContinuation<Value, any Error>
        ) {
            self.budget = budget
            self.limit = limit
            self.body = body
            self.committed = committed
            self.continuation = continuation
        }

        var isStopped: Bool {
            if case .failure(SQLError.interrupted) = result { true } else { false }
        }

        func run(on connection: SQLiteConnection) -> Bool {
            connection.vigil.begin(budget, limit: limit)
            defer { connection.vigil.end() }
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
