package import CloudCore
import Drivers
package import Durable
import HostModel
import Logging
import Networking
import SQL
import Synchronization

/// The keeper of the hosts' networks: it makes them as Networking's rows say, and writes back the status of ports,
/// routers and floating IPs.
///
///     commit --(nudge, or the look of each second)--> the rows of one snapshot --> a host's whole state --> its driver
///         --> statuses, problems
///
/// A caller that waits for a server's ports (`wire`) runs the pass over the host itself, unless another caller's pass
/// has served it already.
package final class NetworkKeeper: Reconciler {
    package let name = "host-networks"
    package let interval: Duration = .seconds(1)

    /// The last state that a host was told, without its generation, and the problems that resulted.
    private struct Told {
        var state: HostNetworkState
        var problems: [NetworkProblem]
        var at: Timestamp
    }

    private struct Memory {
        var revision: Revision?
        var told: [String: Told] = [:]
    }

    private let database: Database
    private let networking: NetworkingAssembly
    private let networks: any HostNetworks
    private let known: KnownHosts
    private let world: World
    private let log: Logger
    private let memory = Mutex(Memory())
    private let turns = SerialKeys<String>()

    init(
        database: Database, networking: NetworkingAssembly, networks: any HostNetworks, known: KnownHosts, world: World, log: Logger
    ) {
        self.database = database
        self.networking = networking
        self.networks = networks
        self.known = known
        self.world = world
        self.log = log
    }

    /// The time after which a host is told an unchanged state again, because it may have lost what it had.
    private static let repetition: Duration = .seconds(60)

    // MARK: All hosts

    package func reconcile() async throws -> ReconcilerReport {
        // The revision is read before the rows, so that the next pass sees any later commit as new.
        var revision = try await database.revision(of: networking.topic)
        let hosts = try await look()
        let isNew = memory.withLock { $0.revision != revision }
        guard isNew || hosts.contains(where: isOverdue) else { return ReconcilerReport() }
        if try await networking.placeRouters(on: hosts) { revision = try await database.revision(of: networking.topic) }
        // A commit does not concern hosts that have no networks and had none.
        let inUse = isNew ? try await networking.hostsInUse() : []
        let due = hosts.filter { $0.isAlive && (isOverdue($0) || inUse.contains($0.name) || (isNew && hasNetworks($0))) }
        let problems = await withTaskGroup(of: String?.self) { group in
            for host in due {
                group.addTask {
                    do {
                        try Task.checkCancellation()
                        try await self.turns.run(host.name) { try await self.pass(over: host, hosts) }
                        return nil
                    } catch {
                        return "\(host.name): \(error)"
                    }
                }
            }
            return await group.reduce(into: [String]()) { if let problem = $1 { $0.append(problem) } }
        }
        // After a failure, the next pass tries the hosts again.
        memory.withLock { [revision] in $0.revision = problems.isEmpty ? revision : nil }
        return ReconcilerReport(examined: due.count, problems: problems)
    }

    private func isOverdue(_ host: NetworkHost) -> Bool {
        host.isAlive && memory.withLock { $0.told[host.name].map { $0.at + Self.repetition < world.now } ?? true }
    }

    private func hasNetworks(_ host: NetworkHost) -> Bool { memory.withLock { $0.told[host.name]?.state.networks.isEmpty == false } }

    private func look() async throws -> [NetworkHost] {
        let hosts = try await networks.hosts()
        known.set(hosts)
        return hosts
    }

    // MARK: One host

    private func pass(over host: NetworkHost, _ hosts: [NetworkHost]) async throws {
        let view = try await database.read(.long) { [networking] tx in try networking.view(of: host, among: hosts, in: tx) }
        var state = view.state
        state.generation = 0
        let last = memory.withLock { $0.told[host.name] }
        var problems = last?.problems ?? []
        if last?.state != state || !problems.isEmpty || last.map({ $0.at + Self.repetition < world.now }) ?? true {
            problems = try await networks.apply(view.state, on: host.name).problems.sorted()
            for problem in problems where !(last?.problems.contains(problem) ?? false) {
                log.warning(
                    "a host's network is not as it should be",
                    metadata: ["host": "\(host.name)", "\(problem.subject.rawValue)": "\(problem.id)", "problem": "\(problem.detail)"])
            }
        }
        try await networking.record(view, problems, hasNewProblems: problems != last?.problems ?? [], on: host.name)
        memory.withLock { $0.told[host.name] = Told(state: state, problems: problems, at: world.now) }
    }

    // MARK: A server's ports

    /// Returns when the host has all of a server's ports.
    ///
    /// - Throws: `unavailable` (transient) while the host cannot be reached; `internalError` for a port that the host
    ///   cannot have.
    package func wire(_ server: ID<Kind.Server>, on name: String) async throws {
        if try await isWired(server, on: name) { return }
        let hosts = try await look()
        guard let host = hosts.first(where: { $0.name == name }), host.isAlive else { throw Self.away(name) }
        try await turns.run(name) {
            // A caller that waited for its turn may find that the pass before has done the work for it.
            if try await isWired(server, on: name) { return }
            try await pass(over: host, hosts)
            guard try await isWired(server, on: name) else { throw Self.away(name) }
        }
    }

    private func isWired(_ server: ID<Kind.Server>, on host: String) async throws -> Bool {
        switch try await networking.wiring(of: server, on: host) {
        case .done: return true
        case .underWay: return false
        case .failed(let detail): throw CloudError.internalError("the ports of \(server) on \(host): \(detail)")
        }
    }

    private static func away(_ host: String) -> CloudError {
        var error = CloudError(.unavailable, "The host cannot be reached.", detail: "the networks of \(host)", code: "host_lost")
        error.isTransient = true
        return error
    }
}
