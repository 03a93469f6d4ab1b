import CloudCore
import Foundation

/// A pool of threads. Each thread owns a connection, and all take jobs from one queue. A job may block.
final class WorkerPool<Worker: Connection, Job>: @unchecked Sendable {  // Every field is behind the condition's lock; a Worker stays on its thread.
    private let condition = NSCondition()
    private var jobs: [Job] = []
    private var head = 0
    private var isClosed = false
    private var running: Int
    private var whenClosed: [CheckedContinuation<Void, Never>] = []
    private let mostWaiting: Int

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - mostWaiting: the most jobs that may wait; further ones are refused, because an endless queue would be an
    ///     outage that nobody sees.
    ///   - batch: the most jobs that one thread takes at once and passes to `perform` together.
    init(
        name: String, workers: [Worker], mostWaiting: Int = 10_000, batch: Int = 1,
        perform: @escaping @Sendable (Worker, [Job]) -> Void
    ) {
        self.mostWaiting = mostWaiting
        running = workers.count
        for (number, worker) in workers.enumerated() {
            let owned = Owned(worker)
            let thread = Thread { [self] in
                while let taken = next(batch) { perform(owned.worker, taken) }
                // The connection is closed before the end is announced: the caller of `close()` may use the file as
                // soon as it returns.
                owned.worker.close()
                finished()
            }
            thread.name = "\(name)-\(number)"
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    /// Puts a job into the queue for the next free thread.
    ///
    /// - Throws: `SQLError.unavailable` if the pool is closed or the queue is full.
    func submit(_ job: Job) throws(SQLError) {
        condition.lock()
        defer { condition.unlock() }
        guard !isClosed else { throw .unavailable("the database is closed") }
        guard jobs.count - head < mostWaiting else { throw .unavailable("\(mostWaiting) transactions wait already") }
        jobs.append(job)
        condition.signal()
    }

    /// Lets the threads end after the queued jobs, closes their connections, and waits for both.
    func close() async {
        await withCheckedContinuation { continuation in
            condition.lock()
            isClosed = true
            if running == 0 {
                condition.unlock()
                continuation.resume()
            } else {
                whenClosed.append(continuation)
                condition.broadcast()
                condition.unlock()
            }
        }
    }

    private func next(_ most: Int) -> [Job]? {
        condition.lock()
        defer { condition.unlock() }
        while head == jobs.count {
            if isClosed { return nil }
            condition.wait()
        }
        let end = min(head + most, jobs.count)
        let taken = Array(jobs[head..<end])
        head = end
        if head == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 1024 {
            jobs.removeFirst(head)
            head = 0
        }
        return taken
    }

    private func finished() {
        condition.lock()
        running -= 1
        let waiting = running == 0 ? whenClosed : []
        if running == 0 { whenClosed = [] }
        condition.unlock()
        for continuation in waiting { continuation.resume() }
    }

    /// A box that carries a worker into its thread, where it stays.
    private struct Owned: @unchecked Sendable {
        let worker: Worker
        init(_ worker: Worker) { self.worker = worker }
    }
}

/// A pool whose jobs are closures, run one by one.
typealias ClosurePool<Worker: Connection> = WorkerPool<Worker, (Worker) -> Void>

extension WorkerPool where Job == (Worker) -> Void {
    convenience init(name: String, workers: [Worker]) {
        self.init(name: name, workers: workers) { worker, jobs in for job in jobs { job(worker) } }
    }

    /// Runs `body` on a thread of the pool.
    func run<Value: Sendable>(_ body: @escaping @Sendable (Worker) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try submit { worker in continuation.resume(with: Result { try body(worker) }) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}
