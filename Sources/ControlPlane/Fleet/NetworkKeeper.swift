package import CloudCore
import Drivers
package import Durable
import HostModel
import Logging
import Networking
import SQL
import Synchronization

/// Makes the networks of hosts as Networking's rows say, and writes back how far they are.
///
///     commit --(nudge, or the second's look)--> the rows of one snapshot --> a host's whole state --> its driver --> statuses, problems
///
/// Who waits for a server's ports (`wire`) makes the pass over its host himself, or finds that another's has done it.
package final class NetworkKeeper: Reconciler {
    package let name = "host-networks"
    package let interval: Duration = .seconds(1)

    /// What a host was told last, without its generation, and what came of it.
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

    /// A host is told again after so long, though nothing is different: it may have lost what it had.
    private static let repetition: Duration = .seconds(60)

    // MARK: All hosts

    package func reconcile() async throws -> ReconcilerReport {
        // Before the rows: what is committed after it is seen as new by the next pass.
        var revision = try await database.revision(of: networking.topic)
        let hosts = try await look()
        let isNew = memory.withLock { $0.revision != revision }
        guard isNew || hosts.contains(where: isOverdue) else { return ReconcilerReport() }
        if try await networking.placeRouters(on: hosts) { revision = try await database.revision(of: networking.topic) }
        // A commit is nothing to hosts that have nothing and had nothing.
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
        // A host that failed is tried again at the next look.
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
    /// - Throws: `unavailable` (transient) while the host is not reached; `internalError` for a port that it cannot have.
    package func wire(_ server: ID<Kind.Server>, on name: String) async throws {
        if try await isWired(server, on: name) { return }
        let hosts = try await look()
        guard let host = hosts.first(where: { $0.name == name }), host.isAlive else { throw Self.away(name) }
        try await turns.run(name) {
            // Those who waited for their turn find that the pass before has done it for all of them.
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
