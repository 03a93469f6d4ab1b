import NIOCore
import NIOPosix
import Synchronization

/// A lane of work on the chunks of one upload, in order and one at a time, on the store's threads. The lanes of an
/// upload run beside each other: one writes while another hashes.
///
/// A caller that adds more than the lane may hold waits, which keeps the memory of an upload constant.
final class SerialLane: Sendable {
    private struct State {
        var queue: [ByteBuffer] = []
        var isRunning = false
        var failure: (any Error)?
        /// The caller that waits for room, or for the end of all work.
        var waiting: (most: Int, continuation: CheckedContinuation<Void, any Error>)?
    }

    private let pool: NIOThreadPool
    private let most: Int
    private let work: @Sendable (ByteBuffer) throws -> Void
    private let state = Mutex(State())

    /// - Parameter most: the most chunks that may be unfinished when `add` returns.
    init(_ pool: NIOThreadPool, most: Int, work: @escaping @Sendable (ByteBuffer) throws -> Void) {
        self.pool = pool
        self.most = most
        self.work = work
    }

    /// Adds a chunk, and waits until the lane has room.
    ///
    /// - Throws: the error of an earlier chunk.
    func add(_ chunk: ByteBuffer) async throws {
        let starts = try state.withLock { state in
            if let failure = state.failure { throw failure }
            state.queue.append(chunk)
            if state.isRunning { return false }
            state.isRunning = true
            return true
        }
        if starts { submit() }
        try await wait(most)
    }

    /// Waits until all chunks are finished.
    func finish() async throws { try await wait(0) }

    private func wait(_ most: Int) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let result: Result<Void, any Error>? = state.withLock { state in
                if let failure = state.failure, !state.isRunning { return .failure(failure) }
                if state.queue.count <= most { return .success(()) }
                // The caller is not resumed at the first free place, or sender and lane would take turns for every
                // chunk.
                state.waiting = (most / 2, continuation)
                return nil
            }
            if let result { continuation.resume(with: result) }
        }
    }

    /// The number of chunks of one turn. Each turn costs a change of threads, but a long upload must not keep a thread
    /// from the others.
    private static let turn = 8

    private func submit() {
        pool.submit { [self] poolState in
            for _ in 0..<Self.turn {
                let chunk = state.withLock { $0.queue.first }
                let outcome = Result {
                    guard case .active = poolState else { throw CancellationError() }
                    if let chunk { try work(chunk) }
                }
                let (goesOn, woken) = state.withLock { state in finished(outcome, &state) }
                woken?()
                if !goesOn { return }
            }
            submit()
        }
    }

    /// Records that a chunk is finished. The chunk stays in the queue until then, so an empty queue means that no work
    /// is running.
    private func finished(_ outcome: Result<Void, any Error>, _ state: inout State) -> (
        goesOn: Bool, woken: (@Sendable () -> Void)?
    ) {
        if case .failure(let error) = outcome {
            state.failure = error
            state.queue = []
        } else {
            state.queue.removeFirst()
        }
        state.isRunning = !state.queue.isEmpty
        guard let waiting = state.waiting, state.queue.count <= waiting.most else { return (state.isRunning, nil) }
        state.waiting = nil
        let failure = state.failure
        return (
            state.isRunning,
            {
                if let failure { waiting.continuation.resume(throwing: failure) } else { waiting.continuation.resume() }
            }
        )
    }
}
