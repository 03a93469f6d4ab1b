package import CloudCore
import Drivers
package import Durable
package import HostModel
import Logging
import Networking
import SQL
import Synchronization

/// The keeper of the hosts' networks: it makes them as Networking's rows say, and writes back the status of ports,
/// routers and floating IPs.
///
///     commit --(nudge, or the look of each second)--> the hosts that it concerns --> a host's whole state
///         --> its driver --> statuses, problems
///
/// A look costs one query of revisions while nothing changes. After a commit, the keys that it named lead to the hosts
/// (`Touch`), and only these are computed. All hosts are computed at the start, and when the log of commits does not
/// reach back. Besides, each host is told again after a while, a few hosts in each second. Its state is read for that
/// only if something of Networking was committed since the last time.
///
/// A caller that waits for a server's ports (`wire`) runs the pass over the host itself, unless another caller's pass
/// has served it already.
package final class NetworkKeeper: Reconciler {
    package let name = "host-networks"
    package let interval: Duration = .seconds(1)

    private struct Memory {
        /// The revision at the last look, and the point up to which the commits were followed.
        var revision: Revision?
        var position: ChangePosition?
        var due = DueHosts()
        var told = ToldHosts()
    }

    private let database: Database
    private let networking: NetworkingAssembly
    private let networks: any HostNetworks
    private let world: World
    private let log: Logger
    private let memory = Mutex(Memory())
    private let turns = SerialKeys<String>()

    init(database: Database, networking: NetworkingAssembly, networks: any HostNetworks, world: World, log: Logger) {
        self.database = database
        self.networking = networking
        self.networks = networks
        self.world = world
        self.log = log
    }

    /// The most hosts that are served at the same time.
    private static let slice = 64
    /// The most hosts that are told again in one look, so that this takes a bounded share of the machine.
    private static let repetitions = 16

    /// Returns the last state that a host was told, without its generation.
    package func told(_ host: String) -> HostNetworkState? { memory.withLock { $0.told[host]?.state } }

    // MARK: The hosts that are due

    package func reconcile() async throws -> ReconcilerReport {
        memory.withLock { $0.due.retry() }
        try await look()
        var report = ReconcilerReport()
        // The number of slices is fixed, so that a pass ends even if there are commits all the time.
        for number in 0..<memory.withLock({ ($0.due.count + Self.slice - 1) / Self.slice }) {
            // Hosts of new commits come before the rest.
            if number > 0 { try await look() }
            let served = await serve(memory.withLock { $0.due.next(Self.slice) })
            report.examined += served.examined
            report.problems += served.problems
        }
        return report
    }

    /// Notes the hosts that changes concern.
    private func look() async throws {
        let arrivals = await networks.arrivals()
        // The revision is read before the rows, so that the next look sees any later commit as new.
        let revision = try await database.revision(of: networking.topic)
        let isNew = memory.withLock { memory in
            memory.told.distrust(arrivals)
            memory.due.add(arrivals)
            memory.due.add(memory.told.overdue(at: world.now, most: Self.repetitions))
            return memory.revision != revision || !arrivals.isEmpty
        }
        if isNew { try await follow(revision) }
    }

    private func follow(_ seen: Revision) async throws {
        var revision = seen
        let position = memory.withLock { $0.position }
        var news = try await networking.news(since: position)
        if news.hasHomelessRouters, try await networking.placeRouters(on: await networks.hosts()) {
            revision = try await database.revision(of: networking.topic)
            news = try await networking.news(since: position)
        }
        let all = news.hosts == nil ? await networks.hosts().map(\.name) : []
        memory.withLock { [revision, news] memory in
            (memory.revision, memory.position) = (revision, news.position)
            guard let hosts = news.hosts else { return memory.due.addAll(all) }
            if !hosts.isEmpty { memory.due.add(hosts.union(memory.told.troubled)) }
        }
    }

    private func serve(_ names: [String]) async -> ReconcilerReport {
        await withTaskGroup(of: ReconcilerReport.self) { group in
            for name in names { group.addTask { await self.serve(name) } }
            return await group.reduce(into: ReconcilerReport()) { report, one in
                report.examined += one.examined
                report.problems += one.problems
            }
        }
    }

    private func serve(_ name: String) async -> ReconcilerReport {
        // A host that is away is due again when it comes back.
        guard let host = await networks.host(name), host.isAlive else { return ReconcilerReport() }
        do {
            try Task.checkCancellation()
            try await turns.run(name) {
                if try await !self.repeats(on: host) { try await self.pass(over: host) }
            }
            return ReconcilerReport(examined: 1)
        } catch {
            memory.withLock { $0.due.fail(name) }
            return ReconcilerReport(examined: 1, problems: ["\(name): \(error)"])
        }
    }

    // MARK: One host

    /// Tells a host its last state again if no commit of Networking came since it was read.
    ///
    /// - Returns: whether the host has it. If not, the host needs a pass.
    private func repeats(on host: NetworkHost) async throws -> Bool {
        let revision = try await database.revision(of: networking.topic)
        guard let state = memory.withLock({ $0.told.repeatable(host.name, at: revision) }) else { return false }
        guard try await networks.apply(state, on: host.name).problems.isEmpty else { return false }
        memory.withLock { $0.told.note(repetitionOn: host.name, at: world.now) }
        return true
    }

    private func pass(over host: NetworkHost) async throws {
        // The revision is read before the rows, so that a later commit counts as new.
        let revision = try await database.revision(of: networking.topic)
        let view = try await database.read(.long) { [networking, networks] tx in
            try networking.view(of: host, addresses: networks.address, in: tx)
        }
        var state = view.state
        state.generation = 0
        let (last, isOverdue) = memory.withLock { ($0.told[host.name], $0.told.isOverdue(host.name, at: world.now)) }
        let known = last?.problems ?? []
        var told = ToldHosts.Told(
            state: state, generation: view.state.generation, revision: revision, problems: known,
            at: last?.at ?? world.now)
        if isOverdue || last?.state != state || !known.isEmpty {
            told.problems = try await networks.apply(view.state, on: host.name).problems.sorted()
            told.at = world.now
            for problem in told.problems where !known.contains(problem) { warn(of: problem, on: host.name) }
        }
        try await networking.record(view, told.problems, hasNewProblems: told.problems != known, on: host.name)
        memory.withLock { [told] in $0.told.set(told, of: host.name) }
    }

    private func warn(of problem: NetworkProblem, on host: String) {
        log.warning(
            "a host's network is not as it should be",
            metadata: [
                "host": "\(host)", "\(problem.subject.rawValue)": "\(problem.id)", "problem": "\(problem.detail)",
            ])
    }

    // MARK: A server's ports

    /// Returns when the host has all of a server's ports.
    ///
    /// - Throws: `unavailable` (transient) while the host cannot be reached; `internalError` for a port that the host
    ///   cannot have.
    package func wire(_ server: ID<Kind.Server>, on name: String) async throws {
        if try await isWired(server, on: name) { return }
        guard let host = await networks.host(name), host.isAlive else { throw Self.away(name) }
        try await turns.run(name) {
            // A caller that waited for its turn may find that the pass before has done the work for it.
            if try await isWired(server, on: name) { return }
            try await pass(over: host)
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
