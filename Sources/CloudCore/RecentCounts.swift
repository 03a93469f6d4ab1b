import Synchronization

/// Counts of events by key, each within a window of time that begins with the key's first event.
///
/// Memory is bounded: there are two generations of counts. When the younger one is full, the older one is dropped and
/// the younger one takes its place. A count that is looked at or raised moves to the younger one. A key is kept as its
/// hash value, so long keys cost nothing; two keys with one hash value would share a count.
package final class RecentCounts: Sendable {
    private struct Count {
        var events: Int
        var since: Timestamp
    }

    private struct Generations {
        var young: [Int: Count] = [:]
        var old: [Int: Count] = [:]
    }

    private let window: Duration
    private let capacity: Int
    private let counts = Mutex(Generations())

    /// - Parameters:
    ///   - window: the time after a key's first event at which its count begins anew.
    ///   - capacity: the most keys that are remembered, at least 2.
    package init(window: Duration, capacity: Int) {
        self.window = window
        self.capacity = max(capacity, 2)
    }

    /// Returns the number of events of a key in its window, and the time until the window ends.
    package func count(of key: some Hashable, at now: Timestamp) -> (events: Int, left: Duration) {
        counts.withLock { generations in
            guard let count = find(key.hashValue, at: now, &generations) else { return (0, .zero) }
            return (count.events, count.since + window - now)
        }
    }

    /// Counts an event.
    package func add(_ key: some Hashable, at now: Timestamp) {
        counts.withLock { generations in
            var count = find(key.hashValue, at: now, &generations) ?? Count(events: 0, since: now)
            count.events += 1
            keep(count, key.hashValue, &generations)
        }
    }

    /// Forgets the events of a key.
    package func remove(_ key: some Hashable) {
        counts.withLock { generations in
            generations.young[key.hashValue] = nil
            generations.old[key.hashValue] = nil
        }
    }

    /// The number of keys that are remembered now.
    package var keys: Int { counts.withLock { $0.young.count + $0.old.count } }

    private func find(_ key: Int, at now: Timestamp, _ generations: inout Generations) -> Count? {
        guard let count = generations.young[key] ?? generations.old[key] else { return nil }
        guard now < count.since + window else { return nil }
        keep(count, key, &generations)
        return count
    }

    private func keep(_ count: Count, _ key: Int, _ generations: inout Generations) {
        generations.old[key] = nil
        if generations.young[key] == nil, generations.young.count >= capacity / 2 {
            generations = Generations(young: [:], old: generations.young)
        }
        generations.young[key] = count
    }
}
