import CloudCore

/// Chooses hosts: filters, then weighers. A function of its arguments.
enum Scheduler {
    /// What came of it.
    struct Choice: Sendable {
        /// Best first.
        var hosts: [HostState]
        /// Why not, by host.
        var refusals: [(host: String, reason: String)]
    }

    static func choose(_ hosts: [HostState], _ wish: PlacementWish) -> Choice {
        var choice = Choice(hosts: [], refusals: [])
        for host in hosts {
            if let reason = HostFilters.refusal(host, wish) {
                choice.refusals.append((host.name, reason))
            } else {
                choice.hosts.append(host)
            }
        }
        choice.hosts = HostWeighers.sorted(choice.hosts, wish)
        // Where its disks are already: another host would have to be given them.
        if let source = wish.move?.source, let place = choice.hosts.firstIndex(where: { $0.name == source }) {
            choice.hosts.insert(choice.hosts.remove(at: place), at: 0)
        }
        return choice
    }

    /// What the user hears, and what the operator does: every host with its reason.
    static func noHost(_ refusals: [(host: String, reason: String)], candidates: Int) -> CloudError {
        let detail = refusals.map { "\($0.host): \($0.reason)" }.joined(separator: "; ")
        return CloudError(
            .conflict, "No valid host was found. There are not enough hosts available.",
            detail: refusals.isEmpty ? "Placement has \(candidates) candidates" : detail)
    }
}
