import Synchronization

/// The counts of a collection of garbage, which several tasks raise.
final class Counts: Sendable {
    private let state = Mutex((examined: 0, removed: 0))

    var all: (examined: Int, removed: Int) { state.withLock { $0 } }

    func add(examined: Int = 0, removed: Int = 0) {
        state.withLock { state in
            state.examined += examined
            state.removed += removed
        }
    }
}
