import Synchronization

/// The limit of transfers of one kind at the same time, in total and per owner. A place is given back when its last
/// reference is gone.
final class Places: Sendable {
    private struct State {
        var free: Int
        var taken: [String: Int] = [:]
    }

    private let state: Mutex<State>
    /// The most places of one owner: a quarter of all, so that other owners still find places when one takes all it
    /// can.
    private let share: Int

    init(_ count: Int) {
        state = Mutex(State(free: count))
        share = max(1, count / 4)
    }

    final class Place: Sendable {
        private let places: Places
        private let owner: String?

        fileprivate init(_ places: Places, _ owner: String?) {
            self.places = places
            self.owner = owner
        }

        deinit {
            places.state.withLock { state in
                state.free += 1
                guard let owner, let count = state.taken[owner] else { return }
                state.taken[owner] = count > 1 ? count - 1 : nil
            }
        }
    }

    /// Takes a place.
    ///
    /// - Parameter owner: the project that transfers; nil for the cloud itself, which no share limits.
    /// - Returns: nil if no place is free, or none for this owner.
    func take(for owner: String?) -> Place? {
        let isFree = state.withLock { state in
            guard state.free > 0 else { return false }
            if let owner {
                guard state.taken[owner, default: 0] < share else { return false }
                state.taken[owner, default: 0] += 1
            }
            state.free -= 1
            return true
        }
        return isFree ? Place(self, owner) : nil
    }
}
