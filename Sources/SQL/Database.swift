import CloudCore
import Synchronization

/// The one database, whichever it is. Every table of every service is behind this surface, and only this target knows a
/// database library.
///
/// A closure is given a connection: at most one hop to another thread for a whole transaction, however many statements it
/// has. A write may be run more than once (PostgreSQL refuses one of two that contradict each other, and it is tried
/// again), so a closure changes rows and returns values and does nothing else; what should happen afterwards goes into
/// `Transaction.afterCommit`.
package struct Database: Sendable {
    let engine: any Engine
    private let counter = Counter()

    init(engine: any Engine) { self.engine = engine }

    /// Transactions that were asked for since the start: what a request costs is counted, not guessed.
    package var transactions: Int { counter.count.load(ordering: .relaxed) }

    /// Statements of all transactions that have ended.
    package var statements: Int { counter.statements.load(ordering: .relaxed) }

    private func counting<Value>(_ body: @escaping @Sendable (Transaction) throws -> Value) -> @Sendable (Transaction) throws -> Value {
        { [counter] tx in
            defer { counter.statements.add(tx.statements, ordering: .relaxed) }
            return try body(tx)
        }
    }

    /// Whether the last write that came to an end found the disk full.
    package var isFull: Bool { counter.isFull.load(ordering: .relaxed) }

    private final class Counter: Sendable {
        let count = Atomic(0)
        let statements = Atomic(0)
        let isFull = Atomic(false)
    }

    package var dialect: Dialect { engine.dialect }

    /// Reads one consistent state of all tables, within a few milliseconds.
    package func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await read(.short, body)
    }

    /// The same, of what may take longer.
    package func read<Value: Sendable>(
        _ reading: Reading, _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        counter.count.add(1, ordering: .relaxed)
        return try await Self.naming { try await engine.read(reading, counting(body)) }
    }

    /// Changes rows, all or nothing, as though no other transaction ran at the same time. It is durable when this
    /// returns: a power cut after it loses nothing.
    @discardableResult
    package func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        counter.count.add(1, ordering: .relaxed)
        return try await Self.naming {
            do {
                let value = try await engine.write(counting(body))
                counter.isFull.store(false, ordering: .relaxed)
                return value
            } catch let error as SQLError {
                if case .full = error { counter.isFull.store(true, ordering: .relaxed) }
                throw error
            }
        }
    }

    /// The topic's present revision. On SQLite this process makes every commit and no I/O is needed; on PostgreSQL it is
    /// one small query, since another process may have committed.
    package func revision(of topic: Topic) async throws -> Revision {
        try await revisions(of: [topic])[0]
    }

    /// The present revisions of several topics, in their order, for what one costs.
    package func revisions(of topics: [Topic]) async throws -> [Revision] {
        try await Self.naming { try await engine.revisions(of: topics) }
    }

    /// Closes every connection after the work that is under way. Nothing may be asked afterwards.
    package func close() async { await engine.close() }

    /// A database that is away or overloaded is a 503 that may be tried again; every other refusal that no store turned
    /// into an error of the API is a bug, and stays what it is for the log.
    private static func naming<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as SQLError where error.isTransient {
            var unavailable = CloudError(
                .unavailable, "The service is temporarily unable to complete the request. Please try again.",
                detail: "the database did not complete a transaction", cause: error)
            unavailable.isTransient = true
            throw unavailable
        } catch SQLError.full(let text) {
            throw full(SQLError.full(text))
        }
    }

    /// Seconds after which a client may try again. Making room takes an operator some time.
    private static let retryAfter = "60"

    private static func full(_ cause: SQLError) -> CloudError {
        var full = CloudError(
            .unavailable, "The disk of the service's database is full. Nothing can be changed until there is room again.",
            detail: "the database's disk is full", cause: cause)
        full.headers = [("Retry-After", retryAfter)]
        full.isTransient = true
        return full
    }
}

/// How long a reading transaction takes: one that is short may hold up the thread that asks for it, which is often that of an event loop.
package enum Reading: Sendable {
    case short, long
}

/// A kind of database.
protocol Engine: Sendable {
    var dialect: Dialect { get }
    func read<Value: Sendable>(_ reading: Reading, _ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value
    func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value
    func revisions(of topics: [Topic]) async throws -> [Revision]
    func close() async
}
