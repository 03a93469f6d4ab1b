internal import CLibPQ
import CloudCore
import Foundation
import Synchronization

/// Stops the statement that runs on a session, from another thread, when the client of its request leaves.
final class PostgresStopper: Sendable {
    private struct State: @unchecked Sendable {  // libpq: any thread may call PQcancel.
        var request: OpaquePointer?
        /// Whether a transaction runs that may be stopped.
        var isWatching = false
        var isSent = false
    }

    private let state = Mutex(State())

    /// Takes the means to stop statements from a new session; nil at the end of a session.
    func attach(to session: OpaquePointer?) {
        let request = session.flatMap { PQgetCancel($0) }
        state.withLock { state in
            PQfreeCancel(state.request)
            state = State(request: request, isWatching: state.isWatching)
        }
    }

    /// Runs transactions of a request.
    ///
    /// - Returns: the value, and whether the session was told to stop. That may reach it late, and then stop a later
    ///   statement, so the session must be closed.
    func watching<Value>(_ budget: Budget, _ body: () throws -> Value) -> (
        result: Result<Value, any Error>, isSent: Bool
    ) {
        state.withLock { ($0.isWatching, $0.isSent) = (true, false) }
        // The thread that ends a budget is often an event loop, and stopping opens a connection.
        let number = budget.whenEnded { DispatchQueue.global().async { self.stop() } }
        defer { budget.forget(number) }
        let result = Result { try body() }
        let isSent = state.withLock { state in
            state.isWatching = false
            return state.isSent
        }
        return (result, isSent)
    }

    private func stop() {
        state.withLock { state in
            guard state.isWatching, let request = state.request else { return }
            state.isSent = true
            var text = [CChar](repeating: 0, count: 256)
            _ = PQcancel(request, &text, Int32(text.count))
        }
    }
}
