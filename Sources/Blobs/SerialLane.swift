import NIOCore
import NIOPosix
import Synchronization

/// Work on one upload's chunks, in their order and one at a time, on the store's threads. The lanes of an upload go at
/// their own pace: one writes while the other hashes.
///
/// Whoever gives it more than it may hold waits, which is what keeps an upload's memory constant.
final class SerialLane: Sendable {
    private struct State {
        var queue: [ByteBuffer] = []
        var isRunning = false
        var failure: (any Error)?
        /// The one who waits for room, or for the end of all work.
        var waiting: (most: Int, continuation: CheckedContinuation<Void, any Error>)?
    }

    private let pool: NIOThreadPool
    private let most: Int
    private let work: @Sendable (ByteBuffer) throws -> Void
    private let state = Mutex(State())

    /// - Parameter most: chunks that may be under way when `add` returns.
    init(_ pool: NIOThreadPool, most: Int, work: @escaping @Sendable (ByteBuffer) throws -> Void) {
        self.pool = pool
        self.most = most
        self.work = work
    }

    /// - Throws: what the work of an earlier chunk threw.
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

    /// Waits until all chunks are worked on.
    func finish() async throws { try await wait(0) }

    private func wait(_ most: Int) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let result: Result<Void, any Error>? = state.withLock { state in
                if let failure = state.failure, !state.isRunning { return .failure(failure) }
                if state.queue.count <= most { return .success(()) }
                // Not at the first free place: sender and lane would change places for every chunk.
                state.waiting = (most / 2, continuation)
                return nil
            }
            if let result { continuation.resume(with: result) }
        }
    }

    /// Some chunks a turn: each turn costs a change of threads, and a long upload must not keep a thread from the others.
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

    /// The chunk stays in the queue until it is worked on, so that an empty queue means that nothing is under way.
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
