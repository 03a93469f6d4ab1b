import Synchronization

/// Hands news to everybody who listens. Who does not keep up loses the oldest: news are nudges.
package final class EventHub<Event: Sendable>: Sendable {
    private struct State {
        var next = 0
        var listeners: [Int: AsyncStream<Event>.Continuation] = [:]
    }

    private let state = Mutex(State())
    private let most: Int

    /// - Parameter most: news that wait for one listener.
    package init(most: Int = 4096) { self.most = most }

    package func listen() -> AsyncStream<Event> {
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(most))
        let ticket = state.withLock { state in
            state.next += 1
            state.listeners[state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in self?.state.withLock { _ = $0.listeners.removeValue(forKey: ticket) } }
        return stream
    }

    package func send(_ event: Event) {
        let listeners = state.withLock { Array($0.listeners.values) }
        for listener in listeners { listener.yield(event) }
    }
}

extension AsyncStream where Element: Sendable {
    /// Ends as soon as the task is cancelled. The stream alone gives a cancelled task all that still waits in it, which may be thousands
    /// of news of hosts that nobody wants to know any more.
    package func untilCancelled() -> AsyncPrefixWhileSequence<Self> { prefix { _ in !Task.isCancelled } }
}
