package import CloudCore
import Durable
import Synchronization

/// A clock that stands still until a test moves it. It wakes the tasks that sleep on it.
package final class ManualClock: WallClock, Sleeper {
    private struct State {
        var now: Timestamp
        var next = 0
        var sleepers: [Int: (until: Timestamp, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var cancelled: Set<Int> = []
    }

    private let state: Mutex<State>

    /// - Parameter start: the first time; 2026-01-01T00:00:00Z by default.
    package init(_ start: Timestamp = Timestamp(seconds: 1_767_225_600)) { state = Mutex(State(now: start)) }

    package var now: Timestamp { state.withLock { $0.now } }

    /// The times until which tasks sleep, earliest first.
    package var alarms: [Timestamp] { state.withLock { $0.sleepers.values.map(\.until).sorted() } }

    package func advance(by duration: Duration) { set(now + duration) }

    /// Moves the clock, forward or back.
    package func set(_ now: Timestamp) {
        let woken = state.withLock { state in
            state.now = now
            let due = state.sleepers.filter { $0.value.until <= state.now }
            for ticket in due.keys { state.sleepers[ticket] = nil }
            return due.values.map(\.continuation)
        }
        for sleeper in woken { sleeper.resume() }
    }

    package func sleep(until deadline: Timestamp) async throws {
        let ticket = state.withLock { state in
            state.next += 1
            return state.next
        }
        defer { state.withLock { _ = $0.cancelled.remove(ticket) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let result: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelled.contains(ticket) { return .failure(CancellationError()) }
                    if deadline <= state.now { return .success(()) }
                    state.sleepers[ticket] = (deadline, continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: ticket)
                if sleeper == nil { state.cancelled.insert(ticket) }
                return sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }
}
