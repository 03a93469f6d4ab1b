import Synchronization

/// The copies that run now, by their tickets, with their progress.
final class RunningCopies: Sendable {
    private struct Copy {
        var percent = 0
        var isCancelled = false
    }

    private let copies = Mutex<[String: Copy]>([:])

    /// Notes that a copy begins.
    ///
    /// - Returns: false if it runs already.
    func begin(_ ticket: String) -> Bool {
        copies.withLock { copies in
            guard copies[ticket] == nil else { return false }
            copies[ticket] = Copy()
            return true
        }
    }

    func isRunning(_ ticket: String) -> Bool { copies.withLock { $0[ticket] != nil } }

    func end(_ ticket: String) { copies.withLock { $0[ticket] = nil } }

    func note(_ percent: Int, of ticket: String) { copies.withLock { $0[ticket]?.percent = min(max(percent, 0), 99) } }

    func percent(of ticket: String) -> Int { copies.withLock { $0[ticket]?.percent ?? 0 } }

    func cancel(_ ticket: String) { copies.withLock { $0[ticket]?.isCancelled = true } }

    func cancelAll() { copies.withLock { copies in for ticket in copies.keys { copies[ticket]?.isCancelled = true } } }

    func isCancelled(_ ticket: String) -> Bool { copies.withLock { $0[ticket]?.isCancelled ?? false } }
}
