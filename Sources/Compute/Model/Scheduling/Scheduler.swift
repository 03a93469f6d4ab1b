import CloudCore

/// Chooses hosts: first the filters, then the weighers. The result depends on the arguments alone.
enum Scheduler {
    /// The outcome of a choice.
    struct Choice: Sendable {
        /// The suitable hosts, best first.
        var hosts: [HostState]
        /// The refused hosts with their reasons.
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
        // The host that has the server's disks already comes first. Any other host would need a copy of them.
        if let source = wish.move?.source, let place = choice.hosts.firstIndex(where: { $0.name == source }) {
            choice.hosts.insert(choice.hosts.remove(at: place), at: 0)
        }
        return choice
    }

    /// Returns the error for no suitable host. The user reads the message; operators read the detail, which has each
    /// host with its reason.
    ///
    /// - Parameter others: the number of hosts whose reasons are not listed.
    static func noHost(_ refusals: [(host: String, reason: String)], candidates: Int, others: Int = 0) -> CloudError {
        let more = others > 0 ? ["and \(others) more hosts"] : []
        let detail = (refusals.map { "\($0.host): \($0.reason)" } + more).joined(separator: "; ")
        return CloudError(
            .conflict, "No valid host was found. There are not enough hosts available.",
            detail: refusals.isEmpty ? "Placement has \(candidates) candidates" : detail)
    }
}
