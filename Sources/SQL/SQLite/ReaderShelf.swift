import Synchronization

/// A shelf of reading connections. A reader takes a connection and gives it back. The connection that came back last is
/// taken next, because its pages are still cached.
final class ReaderShelf: Sendable {
    private struct State: @unchecked Sendable {  // The taker of a connection is its only user.
        var free: [SQLiteConnection]
        var taken = 0
        var isClosed = false
        var whenReturned: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(_ connections: consuming sending [SQLiteConnection]) { state = Mutex(State(free: connections)) }

    /// Returns a connection; nil if all are in use or the shelf is closed.
    func take() -> SQLiteConnection? {
        state.withLock { state in
            guard let connection = state.free.popLast() else { return nil }
            state.taken += 1
            return connection
        }
    }

    func give(back connection: SQLiteConnection) {
        let waiting = state.withLock { state in
            state.taken -= 1
            if state.isClosed { connection.close() } else { state.free.append(connection) }
            defer { if state.taken == 0 { state.whenReturned = [] } }
            return state.taken == 0 ? state.whenReturned : []
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Lets the connections that are free do something before they are taken again.
    func withFree(_ body: (SQLiteConnection) -> Void) {
        var taken: [SQLiteConnection] = []
        while let connection = take() { taken.append(connection) }
        taken.forEach(body)
        taken.forEach(give(back:))
    }

    /// Closes all connections, and waits for those that are in use.
    func close() async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                state.isClosed = true
                for connection in state.free { connection.close() }
                state.free = []
                if state.taken > 0 { state.whenReturned.append(continuation) }
                return state.taken == 0
            }
            if isDone { continuation.resume() }
        }
    }
}
