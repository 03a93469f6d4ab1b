import Foundation

/// A pool of threads. Each thread owns a worker, such as a connection, and all take jobs from one queue, in which each
/// share has its turn. A job may block.
///
/// No share but the cloud's own has more than a quarter of the places in the queue.
// Every field is behind the condition's lock, and a worker stays on its thread.
package final class WorkerPool<Worker, Job>: @unchecked Sendable {
    private let condition = NSCondition()
    private var jobs = FairQueue<Job>()
    /// The number of threads that work for each share.
    private var busy: [Share: Int] = [:]
    private var isClosed = false
    private var running: Int
    private var whenClosed: [CheckedContinuation<Void, Never>] = []
    private let limits: PoolLimits

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - perform: does a job. It gets a function that returns the next job, if one waits: a thread may do several
    ///     jobs together.
    ///   - close: called with each worker when its thread ends.
    package init(
        name: String, workers: [Worker], limits: PoolLimits = PoolLimits(),
        perform: @escaping @Sendable (Worker, Job, _ next: () -> Job?) -> Void,
        close: @escaping @Sendable (Worker) -> Void = { _ in }
    ) {
        self.limits = limits
        running = workers.count
        for (number, worker) in workers.enumerated() {
            let owned = Owned(worker)
            let thread = Thread { [self] in
                if limits.niceness > 0 { Self.lowerPriority(to: limits.niceness) }
                var done: Share?
                while let taken = next(after: done) {
                    perform(owned.worker, taken.element, another)
                    done = taken.share
                }
                // The worker is closed before the end is announced: the caller of `close()` may use its file as
                // soon as it returns.
                close(owned.worker)
                finished()
            }
            thread.name = "\(name)-\(number)"
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    /// Puts a job into the queue for the next free thread.
    ///
    /// - Throws: `PoolRefusal` if the pool is closed, or if the queue or the part of the share is full.
    package func submit(_ job: Job, for share: Share) throws(PoolRefusal) {
        condition.lock()
        defer { condition.unlock() }
        guard !isClosed else { throw .closed }
        guard jobs.count < limits.waiting else { throw .full }
        guard share == .cloud || jobs.count(of: share) < limits.waiting / 4 else { throw .shareIsFull }
        jobs.push(job, for: share)
        condition.signal()
    }

    /// Returns the number of jobs of a share that wait.
    package func waiting(of share: Share) -> Int {
        condition.lock()
        defer { condition.unlock() }
        return jobs.count(of: share)
    }

    /// Lets the threads end after the queued jobs, closes their workers, and waits for both.
    package func close() async {
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

    /// Waits for the next job.
    ///
    /// - Parameter done: the share for which the thread has worked until now.
    /// - Returns: nil after the close of the pool.
    private func next(after done: Share?) -> (element: Job, share: Share)? {
        condition.lock()
        defer { condition.unlock() }
        if let done, let before = busy[done] { busy[done] = before > 1 ? before - 1 : nil }
        while true {
            if let taken = jobs.pop(where: { $0 == .cloud || busy[$0, default: 0] < limits.threadsOfShare }) {
                busy[taken.share, default: 0] += 1
                return taken
            }
            if isClosed, jobs.isEmpty {
                // Threads may wait for the jobs of a share that had its part; there are none left.
                condition.broadcast()
                return nil
            }
            condition.wait()
        }
    }

    /// Returns the next job, if one waits.
    private func another() -> Job? {
        condition.lock()
        defer { condition.unlock() }
        return jobs.pop()?.element
    }

    /// Lowers the priority of the calling thread. Linux gives each thread its own.
    private static func lowerPriority(to niceness: Int32) {
        #if os(Linux)
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness)
        #endif
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
package typealias ClosurePool<Worker> = WorkerPool<Worker, (Worker) -> Void>

extension WorkerPool where Job == (Worker) -> Void {
    package convenience init(
        name: String, workers: [Worker], limits: PoolLimits = PoolLimits(),
        close: @escaping @Sendable (Worker) -> Void = { _ in }
    ) {
        self.init(
            name: name, workers: workers, limits: limits, perform: { worker, job, _ in job(worker) }, close: close)
    }

    /// Runs `body` on a thread of the pool.
    ///
    /// - Throws: `PoolRefusal`, and what `body` throws.
    package func run<Value: Sendable>(
        for share: Share, _ body: @escaping @Sendable (Worker) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try submit({ worker in continuation.resume(with: Result { try body(worker) }) }, for: share)
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

/// The bounds of a pool.
package struct PoolLimits: Sendable {
    /// The most jobs that may wait. Further ones are refused, because an endless queue would be an outage that nobody
    /// sees.
    package var waiting = 10_000
    /// The most threads that work for one share at a time, the cloud's own excepted.
    package var threadsOfShare = Int.max
    /// The niceness of the threads (setpriority(2)). At 10 they get about a tenth of the time of ordinary ones.
    package var niceness: Int32 = 0

    package init(waiting: Int = 10_000, threadsOfShare: Int = .max, niceness: Int32 = 0) {
        self.waiting = waiting
        self.threadsOfShare = threadsOfShare
        self.niceness = niceness
    }
}

/// The reason for which a pool takes no job.
package enum PoolRefusal: Error {
    case closed, full, shareIsFull
}
