import CloudCore
import HostModel
import SQL

/// The last states that hosts were told, and the order in which they are to be told again.
struct ToldHosts {
    struct Told {
        /// The state without its generation.
        var state: HostNetworkState
        var generation: Int64
        /// The revision of Networking from before the state was read.
        var revision: Revision
        /// The problems that resulted.
        var problems: [NetworkProblem]
        /// The time at which the host was last told.
        var at: Timestamp
    }

    private var hosts: [String: Told] = [:]
    /// The hosts with problems. They are tried again after each commit that concerns any host.
    private(set) var troubled: Set<String> = []
    /// Each telling, the oldest first. An entry does not count if the host was told again later.
    private var order: [(host: String, at: Timestamp)] = []
    /// The number of entries at the beginning of `order` that are done.
    private var done = 0

    /// The time after which a host is told an unchanged state again, because it may have lost what it had.
    static let repetition: Duration = .seconds(60)

    subscript(host: String) -> Told? { hosts[host] }

    mutating func set(_ told: Told, of host: String) {
        if hosts[host]?.at != told.at { order.append((host, told.at)) }
        hosts[host] = told
        if told.problems.isEmpty { troubled.remove(host) } else { troubled.insert(host) }
    }

    /// Makes hosts overdue.
    mutating func distrust(_ names: Set<String>) {
        for name in names { hosts[name]?.at = Timestamp(microseconds: 0) }
    }

    /// Returns the state to repeat to a host if the rows are those of the last time, and the host has no problems and
    /// did not come back. Returns nil if the state must be read.
    func repeatable(_ host: String, at revision: Revision) -> HostNetworkState? {
        guard let told = hosts[host], told.revision == revision, told.problems.isEmpty, told.at.microseconds > 0 else {
            return nil
        }
        var state = told.state
        state.generation = told.generation
        return state
    }

    /// Notes that a host was told the same state again.
    mutating func note(repetitionOn host: String, at now: Timestamp) {
        guard var told = hosts[host] else { return }
        told.at = now
        set(told, of: host)
    }

    /// Returns whether the host has never been told or is to be told again.
    func isOverdue(_ host: String, at now: Timestamp) -> Bool {
        hosts[host].map { $0.at + Self.repetition < now } ?? true
    }

    /// Removes and returns the next hosts that are to be told again. The cost does not depend on the number of hosts.
    mutating func overdue(at now: Timestamp, most: Int) -> [String] {
        var found: [String] = []
        while found.count < most, done < order.count, order[done].at + Self.repetition < now {
            let entry = order[done]
            done += 1
            if hosts[entry.host]?.at == entry.at { found.append(entry.host) }
        }
        if done > 1024, done > order.count / 2 {
            order.removeFirst(done)
            done = 0
        }
        return found
    }
}
