import HostModel
import SQL
import Synchronization

/// The values of each host that were recorded last.
final class RecordedReports: Sendable {
    private struct Sightings {
        /// A hash of the machines, because nobody needs them again.
        var hash: Int
        /// The revision of the servers with which they agreed.
        var revision: Revision
    }

    private let resources = Mutex<[String: HostResources]>([:])
    private let sightings = Mutex<[String: Sightings]>([:])

    func has(_ new: HostResources, of host: String) -> Bool { resources.withLock { $0[host] == new } }
    func note(_ new: HostResources, of host: String) { resources.withLock { $0[host] = new } }

    /// Returns whether the machines agreed with the servers' rows, and neither has changed.
    func agree(_ machines: [ObservedMachine], on host: String, at revision: Revision) -> Bool {
        sightings.withLock { $0[host].map { $0.revision == revision && $0.hash == machines.hashValue } ?? false }
    }

    func note(_ machines: [ObservedMachine], on host: String, at revision: Revision) {
        sightings.withLock { $0[host] = Sightings(hash: machines.hashValue, revision: revision) }
    }
}
