import CloudCore
import Synchronization

/// The database of the cloud, whichever kind it is. Every table of every service is reached through this type, and only
/// this target knows a database library.
///
/// A closure runs on one connection, with at most one hop to another thread for a whole transaction, however many
/// statements it has. A write may run more than once: PostgreSQL refuses one of two transactions that conflict, and it
/// is then run again. So may a read: SQLite moves a short one that turns out to be long to another thread. So a closure
/// must only change rows and return values. Work for afterwards goes into `Transaction.afterCommit`.
///
/// A transaction belongs to the request whose `Budget` is current. It waits in the turns of the request's share, and it
/// is stopped when the budget is over. A write that was stopped changes nothing.
package struct Database: Sendable {
    let engine: any Engine
    private let counter = Counter()

    /// The number of transactions since the start, by which the cost of requests is counted.
    package var transactions: Int { counter.count.load(ordering: .relaxed) }

    /// The number of writing transactions that were committed since the start.
    package var commits: Int { counter.commits.load(ordering: .relaxed) }

    /// The number of statements of all transactions that have ended.
    package var statements: Int { counter.statements.load(ordering: .relaxed) }

    /// The number of steps that SQLite's virtual machine has run for those statements, with the triggers that they
    /// fired. A step is an operation on one row or one value, so it counts the rows that were looked at. PostgreSQL
    /// counts none.
    package var steps: Int { counter.steps.load(ordering: .relaxed) }

    private func counting<Value>(_ body: @escaping @Sendable (Transaction) throws -> Value) -> @Sendable (Transaction) throws -> Value {
        { [counter] tx in
            let before = tx.connection.steps
            defer {
                counter.statements.add(tx.statements, ordering: .relaxed)
                counter.steps.add(tx.connection.steps - before, ordering: .relaxed)
            }
            return try body(tx)
        }
    }

    /// Whether the disk was full at the last write that either succeeded or found it full.
    package var isFull: Bool { counter.isFull.load(ordering: .relaxed) }

    private final class Counter: Sendable {
        let count = Atomic(0)
        let commits = Atomic(0)
        let statements = Atomic(0)
        let steps = Atomic(0)
        let isFull = Atomic(false)
    }

    package var dialect: Dialect { engine.dialect }

    /// Reads one consistent state of all tables; for reads that take a few milliseconds at most.
    package func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await read(.short, body)
    }

    /// Reads one consistent state of all tables; `long` is for reads that may take longer.
    package func read<Value: Sendable>(
        _ reading: Reading, _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        counter.count.add(1, ordering: .relaxed)
        return try await Self.naming { try await engine.read(reading, counting(body)) }
    }

    /// Changes rows, all or nothing, as though no other transaction ran at the same time. The change is durable when
    /// this returns: a power cut after it loses nothing.
    @discardableResult
    package func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        counter.count.add(1, ordering: .relaxed)
        return try await Self.naming {
            do {
                let value = try await engine.write(counting(body))
                counter.commits.add(1, ordering: .relaxed)
                counter.isFull.store(false, ordering: .relaxed)
                return value
            } catch let error as SQLError {
                if case .full = error { counter.isFull.store(true, ordering: .relaxed) }
                throw error
            }
        }
    }

    /// Returns the present revision of a topic. On SQLite this process makes every commit, so no I/O is needed. On
    /// PostgreSQL it takes one small query, since another process may have committed.
    package func revision(of topic: Topic) async throws -> Revision {
        try await revisions(of: [topic])[0]
    }

    /// Returns the present revisions of several topics, in their order, at the cost of one.
    package func revisions(of topics: [Topic]) async throws -> [Revision] {
        try await Self.naming { try await engine.revisions(of: topics) }
    }

    /// Frees the memory that is only kept to be faster the next time: pages of the database and prepared statements.
    /// Each connection keeps some megabytes of them after much work.
    package func releaseMemory() async throws { try await Self.naming { try await engine.releaseMemory() } }

    /// Closes all connections after the running work has ended. The database must not be used afterwards.
    package func close() async { await engine.close() }

    /// Runs `body` and closes the database, whichever way the body ends.
    package func closing<Value>(_ body: (Database) async throws -> Value) async throws -> Value {
        let result: Result<Value, any Error>
        do { result = .success(try await body(self)) } catch { result = .failure(error) }
        await close()
        return try result.get()
    }

    /// Turns errors of the database into errors of the API. A database that is away, overloaded or full becomes a 503
    /// that may be tried again. Any other error that no store translated is a bug, and stays as it is for the log.
    private static func naming<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as SQLError where error.isTransient {
            throw unavailable(error)
        } catch SQLError.full(let text) {
            throw full(SQLError.full(text))
        } catch SQLError.interrupted {
            throw Budget.cutOff
        } catch let refusal as PoolRefusal {
            throw unavailable(refusal)
        }
    }

    private static func unavailable(_ cause: any Error) -> CloudError {
        .busy(
            "The service is temporarily unable to complete the request. Please try again.",
            detail: "the database did not complete a transaction", cause: cause)
    }

    /// The seconds after which a client may try again. An operator needs some time to make room.
    private static let retryAfter = 60

    private static func full(_ cause: SQLError) -> CloudError {
        .busy(
            "The disk of the service's database is full. Nothing can be changed until there is room again.",
            after: retryAfter, detail: "the database's disk is full", cause: cause)
    }
}

/// The length of a reading transaction. A short one may run on the thread of the caller, which is often an event loop.
package enum Reading: Sendable {
    case short, long
}

/// A kind of database.
protocol Engine: Sendable {
    var dialect: Dialect { get }
    func read<Value: Sendable>(_ reading: Reading, _ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value
    func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value
    func revisions(of topics: [Topic]) async throws -> [Revision]
    /// Frees the memory that is only kept to be faster the next time.
    func releaseMemory() async throws
    func close() async
}

extension Engine {
    /// The server of the database keeps the pages; this process has none.
    func releaseMemory() async throws {}
}
