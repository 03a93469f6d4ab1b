import CloudCore
import SQL
import Synchronization

/// The keeper of the index of hosts, as of the latest commit and the latest reports.
final class HostKeeper: Sendable {
    private let copy: TopicCopy<HostIndexStore>
    private let hosts: any HostsNeed
    private let visits = Atomic(0)

    init(database: Database, hosts: any HostsNeed) {
        copy = TopicCopy(HostIndexStore(hosts: hosts), of: database)
        self.hosts = hosts
    }

    /// The number of hosts that all choices since the start have looked at, by which the cost of a choice is counted.
    var visited: Int { visits.load(ordering: .relaxed) }
    func noteVisits(_ count: Int) { visits.add(count, ordering: .relaxed) }

    func latest() async throws -> HostIndex {
        await hosts.refresh()
        return try await copy.latest()
    }

    /// Returns the index as the transaction sees the rows.
    func latest(in tx: Transaction) throws -> HostIndex { try copy.latest(in: tx) }

    /// Returns what is known of the hosts now.
    func overview() async throws -> HostOverview { HostOverview(index: try await latest(), hosts: hosts) }
}

/// All that is known of the hosts at one moment. Only whether a host is up depends on the time.
struct HostOverview: Sendable {
    let index: HostIndex
    let hosts: any HostsNeed

    func isKnown(_ name: String) -> Bool { index.isKnown(name) }
    func zone(of name: String) -> String { index.zone(of: name) }
    func isDisabled(_ name: String) -> Bool { index.host(name)?.isDisabled ?? false }
    func isUp(_ name: String) -> Bool { index.host(name)?.entry?.isForcedDown != true && hosts.isUp(name) }

    /// Returns whether a zone has a host that is not disabled.
    func hasEnabledHost(in zone: String) -> Bool { !index.ranking(in: zone).isEmpty }
    /// Returns whether a zone has a host that is not disabled and is up.
    func hasUsableHost(in zone: String) -> Bool { index.ranking(in: zone).names.contains(where: isUp) }
}
