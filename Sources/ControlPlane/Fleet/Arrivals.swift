import Synchronization

/// The hosts that came, or came back after they could not be reached or had restarted. They may have lost what they
/// were told.
final class Arrivals: Sendable {
    private let names = Mutex<Set<String>>([])

    func note(_ name: String) { names.withLock { _ = $0.insert(name) } }

    /// Returns the names of the hosts since the last call. The keeper of networks is the only caller.
    func take() -> Set<String> {
        names.withLock { names in
            defer { names = [] }
            return names
        }
    }
}
