package import CloudCore

/// The result of an `apply`.
package struct NetworkReport: Hashable, StoredValue {
    package static let storedName = "agent.network-report"

    package var generation: Int64
    /// The changes to the host, for the operator; empty if it was already as wanted.
    package var changes: [String]
    /// The number of flows that were cut because they are no longer allowed.
    package var cutFlows: Int
    package var problems: [NetworkProblem]

    package init(generation: Int64, changes: [String] = [], cutFlows: Int = 0, problems: [NetworkProblem] = []) {
        self.generation = generation
        self.changes = changes
        self.cutFlows = cutFlows
        self.problems = problems
    }
}

/// A thing that is not as wanted, and why. The rest of the host is.
package struct NetworkProblem: Hashable, Sendable, Codable, Comparable {
    package enum Subject: String, Hashable, Sendable, Codable {
        case host, network, port, group, router, floatingIP
    }

    package var subject: Subject
    package var id: String
    /// The cause, for the operator.
    package var detail: String

    package init(_ subject: Subject, _ id: String, _ detail: String) {
        self.subject = subject
        self.id = id
        self.detail = detail
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.subject.rawValue, left.id, left.detail) < (right.subject.rawValue, right.id, right.detail)
    }
}

/// The networks that exist on the host, by the ids of the wanted things.
package struct ObservedNetwork: Hashable, Sendable, Codable {
    /// The newest generation that was applied; nil before the first.
    package var generation: Int64?
    package var networks: Set<String>
    package var routers: Set<String>
    /// The ports whose device exists and is in its network.
    package var ports: Set<String>
    /// The networks in which DHCP is served.
    package var servingDHCP: Set<String>

    package init(
        generation: Int64? = nil, networks: Set<String> = [], routers: Set<String> = [], ports: Set<String> = [],
        servingDHCP: Set<String> = []
    ) {
        self.generation = generation
        self.networks = networks
        self.routers = routers
        self.ports = ports
        self.servingDHCP = servingDHCP
    }
}

extension HostNetworkState {
    /// The code of the error that refuses an older state.
    package static let staleCode = "stale_change"

    /// Throws if this state is older than the newest that was seen.
    ///
    /// - Throws: `conflict` with `staleCode`.
    package func require(notOlderThan seen: Int64?) throws(CloudError) {
        guard let seen, generation < seen else { return }
        throw CloudError(
            .conflict, "The change was overtaken by a newer one.",
            detail: "networks of the host: generation \(generation) after \(seen)", code: Self.staleCode)
    }
}
