import Synchronization

/// A hub that passes each event to all listeners. A slow listener loses the oldest events, since events are only
/// nudges.
package final class EventHub<Event: Sendable>: Sendable {
    private struct State {
        var next = 0
        var listeners: [Int: AsyncStream<Event>.Continuation] = [:]
    }

    private let state = Mutex(State())
    private let most: Int

    /// Creates a hub without listeners.
    ///
    /// - Parameter most: the most events that wait for one listener.
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
    /// Returns a sequence that ends as soon as the task is cancelled. The stream itself would still give a cancelled
    /// task all waiting events, which may be thousands that nobody needs any more.
    package func untilCancelled() -> AsyncPrefixWhileSequence<Self> { prefix { _ in !Task.isCancelled } }
}
