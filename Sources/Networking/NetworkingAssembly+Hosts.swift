package import CloudCore
package import HostModel
import Resources
package import SQL

/// What whoever keeps hosts asks of Networking: what their networks should be like, and where it writes down what they are like.
extension NetworkingAssembly {
    private var states: HostStateService { HostStateService(networking: networking) }

    /// What a commit that changes what hosts should be like names. The state's generation counts these commits.
    package var topic: Topic { networking.base.topic }

    /// All that is wanted of a host's networks, of one state of the rows.
    ///
    /// - Parameter hosts: all that there are: networks lead from one to the other.
    package func view(of host: NetworkHost, among hosts: [NetworkHost], in tx: Transaction) throws -> HostNetworkView {
        try states.view(of: host, among: hosts, in: tx)
    }

    /// The hosts that something is bound to: all others have no networks.
    package func hostsInUse() async throws -> Set<String> { try await networking.read { tx in try HostStateStore.hosts(in: tx) } }

    /// Gives each router that runs nowhere a host: the first of those that are alive and that operators have not switched off. It stays there.
    ///
    /// - Returns: whether there were some.
    package func placeRouters(on hosts: [NetworkHost]) async throws -> Bool {
        let alive = hosts.filter(\.isAlive)
        guard !alive.isEmpty else { return false }
        let (isNeeded, notes) = try await networking.read { tx in
            (try !HostStateStore.homelessRouters(in: tx).isEmpty, try AgentStore.notes(in: tx))
        }
        guard isNeeded, let host = alive.filter({ notes[$0.id]?.isUp ?? true }).map(\.name).min() else { return false }
        try await networking.write { tx in
            for router in try HostStateStore.homelessRouters(in: tx) { try HostStateStore.place(router, on: host, in: tx) }
        }
        return true
    }

    /// Writes down that a host is as the view says, but for the problems. Without a write where the rows say so already.
    ///
    /// - Parameter hasNewProblems: whether they are others than the last time.
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
            // A router that is switched off is active in the reference, too.
            let now = status(true, failed[.router]?.contains(router.id) ?? false)
            if now != router.status { routers.append((router.id, now)) }
        }
        let isUp = Dictionary(view.routers.map { ($0.id, $0.isUp && !(failed[.router]?.contains($0.id) ?? false)) }) { first, _ in first }
        let floating = view.floating.compactMap { one -> (HostStateStore.Floating, String)? in
            let now = status(isUp[one.router] ?? false, failed[.floatingIP]?.contains(one.id) ?? false)
            return now == one.status ? nil : (one, now)
        }
        guard !ports.isEmpty || !routers.isEmpty || !floating.isEmpty || hasNewProblems else { return }
        // Not `networking.write`: hosts should be as they are, so nothing is to follow.
        try await networking.base.database.write { [ports, routers] tx in
            for (status, ids) in ports.sorted(by: { $0.key < $1.key }) { try HostStateStore.setStatus(status, ofPorts: ids, on: host, in: tx) }
            for router in routers { try HostStateStore.setStatus(router.status, ofRouter: router.id, in: tx) }
            for (one, status) in floating { try HostStateStore.setStatus(status, of: one, in: tx) }
            if hasNewProblems { try HostStateStore.setProblems(problems, of: host, in: tx) }
        }
    }

    /// How far the ports of a server are on its host.
    package enum Wiring: Sendable, Hashable {
        case done
        case underWay
        /// With what is the matter, for the operator.
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
