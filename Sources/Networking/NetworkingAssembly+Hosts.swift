package import CloudCore
package import HostModel
import Resources
package import SQL

/// The interface for the keeper of hosts: it reads what their networks should be, and records what they are.
extension NetworkingAssembly {
    private var states: HostStateService { HostStateService(networking: networking) }

    /// The topic of every commit of Networking. A state's generation counts the commits that named keys (`Touch`).
    package var topic: Topic { networking.base.topic }

    /// Returns everything that is wanted of a host's networks, read in one transaction.
    ///
    /// - Parameter addresses: the address at which a host gets packets of shared networks, by the host's name.
    package func view(
        of host: NetworkHost, addresses: (String) -> IPAddress?, in tx: Transaction
    ) throws -> HostNetworkView {
        try states.view(of: host, addresses: addresses, in: tx)
    }

    /// Returns the hosts that the commits since a position concern, from one snapshot.
    package func news(since position: ChangePosition?) async throws -> HostNews {
        try await networking.read { [topic] tx in
            let changes = try tx.changes(of: topic, since: position)
            return HostNews(
                hosts: try changes.keys.map { try TouchStore.hosts(of: $0, in: tx) }, position: changes.position,
                hasHomelessRouters: try HostStateStore.hasHomelessRouters(in: tx))
        }
    }

    /// Gives a host to each router that has none: the first by name that is alive and that operators have not disabled.
    /// The router stays there.
    ///
    /// - Returns: whether there were such routers and a host for them.
    package func placeRouters(on hosts: [NetworkHost]) async throws -> Bool {
        let alive = hosts.filter(\.isAlive)
        guard !alive.isEmpty else { return false }
        let (isNeeded, notes) = try await networking.read { tx in
            (try !HostStateStore.homelessRouters(in: tx).isEmpty, try AgentStore.notes(in: tx))
        }
        guard isNeeded, let host = alive.filter({ notes[$0.id]?.isUp ?? true }).map(\.name).min() else { return false }
        try await networking.write { tx in
            networking.touch([.host(host)], in: tx)
            for router in try HostStateStore.homelessRouters(in: tx) {
                try HostStateStore.place(router, on: host, in: tx)
                // The other hosts of its networks send packets to it there.
                networking.touch(Set(try TouchStore.networks(of: router, in: tx).map(Touch.network)), in: tx)
            }
        }
        return true
    }

    /// Records that a host is as the view says, except for the problems. Writes nothing if the rows already say so.
    ///
    /// - Parameter hasNewProblems: whether the problems differ from those of the last time.
    package func record(_ view: HostNetworkView, _ problems: [NetworkProblem], hasNewProblems: Bool, on host: String) async throws {
        var failed: [NetworkProblem.Subject: Set<String>] = [:]
        for problem in problems { failed[problem.subject, default: []].insert(problem.id) }
        let networks = failed[.network] ?? []
        func status(_ isUp: Bool, _ hasFailed: Bool) -> String { hasFailed ? Port.failed : isUp ? Port.active : Port.down }
        var ports: [String: [String]] = [:]
        for port in view.ports {
            let now = status(port.isUp, failed[.port]?.contains(port.id) ?? false || networks.contains(port.network))
            if now != port.status { ports[now, default: []].append(port.id) }
        }
        var routers: [(id: String, status: String)] = []
        for router in view.routers {
            // In the reference, a disabled router is active too.
            let now = status(true, failed[.router]?.contains(router.id) ?? false)
            if now != router.status { routers.append((router.id, now)) }
        }
        let isUp = Dictionary(view.routers.map { ($0.id, $0.isUp && !(failed[.router]?.contains($0.id) ?? false)) }) { first, _ in first }
        let floating = view.floating.compactMap { one -> (HostStateStore.Floating, String)? in
            let now = status(isUp[one.router] ?? false, failed[.floatingIP]?.contains(one.id) ?? false)
            return now == one.status ? nil : (one, now)
        }
        guard !ports.isEmpty || !routers.isEmpty || !floating.isEmpty || hasNewProblems else { return }
        // This is not `networking.write`: what hosts should have stays the same, so nobody needs to be told.
        try await networking.base.database.write { [ports, routers] tx in
            for (status, ids) in ports.sorted(by: { $0.key < $1.key }) { try HostStateStore.setStatus(status, ofPorts: ids, on: host, in: tx) }
            for router in routers { try HostStateStore.setStatus(router.status, ofRouter: router.id, in: tx) }
            for (one, status) in floating { try HostStateStore.setStatus(status, of: one, in: tx) }
            if hasNewProblems { try HostStateStore.setProblems(problems, of: host, in: tx) }
        }
    }

    /// The progress of a server's ports on its host.
    package enum Wiring: Sendable, Hashable {
        case done
        case underWay
        /// A failure, with its cause for the operator.
        case failed(String)
    }

    package func wiring(of server: ID<Kind.Server>, on host: String) async throws -> Wiring {
        try await networking.read { tx in
            for entry in try ServerPortStore.entries(of: server, in: tx) {
                guard entry.host == host, entry.status != Port.build else { return .underWay }
                if entry.status == Port.failed {
                    return .failed(try HostStateStore.problem(with: entry.port.text, on: host, in: tx) ?? "its network cannot be made")
                }
            }
            return .done
        }
    }
}
