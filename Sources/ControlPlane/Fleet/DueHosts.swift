import CloudCore

/// The hosts that passes have still to serve, the urgent ones first.
struct DueHosts {
    /// The hosts that a commit concerns, or that came back.
    private var urgent: Set<String> = []
    /// All hosts, if anything may have changed; the next ones are at the end.
    private var rest: [String] = []
    /// The hosts that could not be served. They wait for the next pass, so that a pass ends.
    private var failed: Set<String> = []

    var count: Int { urgent.count + rest.count }

    mutating func add(_ hosts: some Sequence<String>) { urgent.formUnion(hosts) }

    mutating func addAll(_ hosts: [String]) {
        urgent = []
        rest = hosts.reversed()
    }

    mutating func fail(_ host: String) { failed.insert(host) }

    /// Makes the hosts that could not be served due again.
    mutating func retry() {
        urgent.formUnion(failed)
        failed = []
    }

    /// Removes and returns the next hosts.
    mutating func next(_ most: Int) -> [String] {
        var hosts = Array(urgent.sorted().prefix(most))
        urgent.subtract(hosts)
        while hosts.count < most, let host = rest.popLast() { hosts.append(host) }
        return hosts
    }
}
