package import AgentCore
import CloudCore
package import DriverSimulated
import Drivers
import Foundation
import HostModel
import Logging
import ServiceLifecycle
import Synchronization

/// The hosts of this cloud: their agents, the links to them, and the last report of each.
///
/// While nothing keeps the hosts, as in a test, they are asked when a caller needs their facts.
package final class Fleet: Sendable, Service {
    /// A host whose agent is in this process.
    struct Post: Sendable {
        let name: String
        let id: String
        let agent: Agent
        let link: InMemoryLink
        let bootedAt: Timestamp
        /// The address to which other hosts send packets of shared networks; nil for none.
        var tunnelAddress: IPAddress?
        /// The driver that opens the doors for guests' metadata requests, if this process is the host.
        var metadata: (any MetadataListening)?
        /// The background work beside the agent, which runs until it is cancelled.
        var keepers: [@Sendable () async throws -> Void] = []
        var close: @Sendable () async -> Void = {}

        init(name: String, id: String, agent: Agent, bootedAt: Timestamp) {
            self.name = name
            self.id = id
            self.agent = agent
            self.bootedAt = bootedAt
            link = InMemoryLink(agent)
        }
    }

    private struct State {
        var posts: [String: Post] = [:]
        var roll = HostRoll()
        var isKept = false
    }

    private let state: Mutex<State>
    /// The function that opens a host which takes long to open and must not delay the start of the cloud.
    private let late: (@Sendable () async throws -> Post)?
    private let opening = SerialKeys<String>()
    private let gate = Gate()
    /// The hosts that came or came back, for the keeper of networks.
    let arrivals = Arrivals()
    private let hub = EventHub<(host: String, report: AgentReport)>()
    private let world: World
    private let log: Logger
    /// The simulated hardware; nil without a simulation.
    package let simulated: SimulatedFleet?
    /// The era, which puts the changes of a restored cloud above those that its hosts have seen.
    package let era = FenceEra()

    init(
        posts: [Post], known: [HostFacts] = [], late: (@Sendable () async throws -> Post)? = nil, simulated: SimulatedFleet? = nil,
        world: World, log: Logger
    ) {
        var state = State()
        for post in posts { state.posts[post.name] = post }
        for facts in known { state.roll.take(facts) }
        self.state = Mutex(state)
        self.late = late
        self.simulated = simulated
        self.world = world
        self.log = log
    }

    /// Returns the link to a host.
    ///
    /// - Throws: `unavailable` (transient), because the host may connect later.
    package func link(to name: String) async throws -> any AgentLink {
        if !isOpen(name) { await settled() }
        if let post = state.withLock({ $0.posts[name] }) { return post.link }
        var error = CloudError(.unavailable, "The host cannot be reached.", detail: "\(name): no agent is connected", code: "host_lost")
        error.isTransient = true
        throw error
    }

    /// Returns whether the host's agent is connected.
    func isOpen(_ name: String) -> Bool { state.withLock { $0.posts[name].map { !$0.link.isCut } ?? false } }

    func tunnelAddress(of name: String) -> IPAddress? { state.withLock { $0.posts[name]?.tunnelAddress } }

    /// The same agents, each with a new link.
    var postsAgain: [Post] {
        state.withLock { state in
            state.posts.values.map { post in
                var again = Post(name: post.name, id: post.id, agent: post.agent, bootedAt: post.bootedAt)
                again.tunnelAddress = post.tunnelAddress
                return again
            }
        }
    }

    func metadataDriver(of name: String) -> (any MetadataListening)? { state.withLock { $0.posts[name]?.metadata } }

    package var names: [String] { state.withLock { $0.posts.keys.sorted() } }

    /// Returns the facts of each host, in the natural order of their names.
    package func facts() async -> [HostFacts] {
        await askIfNobodyKeeps()
        return state.withLock { $0.roll.all }
    }

    /// The facts of each host, as they are known now.
    var known: [HostFacts] { state.withLock { $0.roll.all } }

    /// Returns the facts of one host.
    func facts(of name: String) -> HostFacts? { state.withLock { $0.roll[name] } }

    /// The position of the last fact that was new. It rises, and begins with 0.
    var position: Int { state.withLock { $0.roll.position } }

    /// Returns the facts of the hosts of which something lasting is newer than a position, and the present position.
    func news(since position: Int) -> (facts: [HostFacts], position: Int) {
        state.withLock { ($0.roll.news(since: position), $0.roll.position) }
    }

    /// Returns when the late host has been opened and its inventory was recorded, or when it cannot be opened.
    func settled() async {
        if late != nil { await gate.wait() }
    }

    /// Notes that the inventory of a host was recorded.
    func settle(_ name: String) {
        if state.withLock({ $0.posts[name]?.agent.host == Self.lateHost }) { gate.open() }
    }

    /// Returns the reports of hosts from now on. Some may be lost.
    package func news() -> AsyncStream<(host: String, report: AgentReport)> { hub.listen() }

    /// Cuts the link to a host or restores it, as a failure of the network does.
    package func setCut(_ isCut: Bool, _ name: String) {
        state.withLock { $0.posts[name]?.link.isCut = isCut }
        if !isCut { arrivals.note(name) }
    }

    // MARK: What hosts say

    /// Asks the hosts whose facts are outdated, while nothing keeps them.
    func askIfNobodyKeeps() async {
        let now = world.now
        let stale = state.withLock { state in
            state.isKept ? [] : state.posts.values.filter { state.roll[$0.name].map { $0.seenAt + Self.freshness < now } ?? true }
        }
        await withTaskGroup(of: Void.self) { group in
            for post in stale { group.addTask { await self.ask(post) } }
        }
    }

    /// The age at which a host's facts are outdated.
    private static let freshness: Duration = .seconds(10)

    /// Asks every host now.
    package func ask() async {
        for post in state.withLock({ Array($0.posts.values) }) { await ask(post) }
    }

    /// Asks some hosts, before `run` keeps them all. The others are not asked, but report as soon as they are kept.
    package func beginKeeping(asking most: Int) async {
        let first = state.withLock { state in
            state.isKept = true
            return state.posts.values.sorted { NaturalOrder($0.name) < NaturalOrder($1.name) }.prefix(most)
        }
        await withTaskGroup(of: Void.self) { group in
            for post in first { group.addTask { await self.ask(post) } }
        }
    }

    private func ask(_ post: Post) async {
        do {
            guard case .inventory(let inventory) = try await post.link.ask(.inventory) else { return }
            take(.inventory(inventory), post)
        } catch {
            log.warning("a host does not answer", metadata: ["host": "\(post.name)", "problem": "\(error)"])
        }
    }

    private func take(_ report: AgentReport, _ post: Post) {
        // A cut link carries nothing in this direction either.
        guard !post.link.isCut else { return }
        if case .inventory(let inventory) = report {
            let facts = HostFacts(name: post.name, id: post.id, bootedAt: post.bootedAt, seenAt: world.now, inventory: inventory)
            let old = state.withLock { state in
                defer { state.roll.take(facts) }
                return state.roll[post.name]
            }
            let wasThere = old.map { $0.isUp(at: facts.seenAt) && $0.bootedAt == facts.bootedAt } ?? false
            if !wasThere { arrivals.note(post.name) }
        }
        hub.send((post.name, report))
    }

    // MARK: Keeping

    /// Opens the late host. It has no effect if the host is open.
    ///
    /// - Returns: the name of the host, if this call opened it.
    @discardableResult
    package func open() async throws -> String? { try await openLate()?.name }

    private func openLate() async throws -> Post? {
        guard let late else { return nil }
        return try await opening.run("") {
            let isOpen = state.withLock { $0.posts.values.contains { $0.agent.host == Self.lateHost } }
            guard !isOpen else { return nil }
            let post = try await late()
            state.withLock { $0.posts[post.name] = post }
            await ask(post)
            // Other hosts may have ports of networks that this host has too, and need its address.
            for name in names { arrivals.note(name) }
            return post
        }
    }

    /// The id of the late host's agent.
    static let lateHost = HostID("this")

    /// Does the background work of all hosts until the process ends.
    package func run() async throws {
        state.withLock { $0.isKept = true }
        // Nobody may wait any longer for a host that will not open.
        defer { gate.open() }
        await cancelWhenGracefulShutdown { await self.keepAll() }
        let posts = state.withLock { state in
            state.isKept = false
            return Array(state.posts.values)
        }
        for post in posts { await post.close() }
    }

    private func keepAll() async {
        await withTaskGroup(of: Void.self) { group in
            for post in state.withLock({ Array($0.posts.values) }) { group.addTask { await self.keep(post) } }
            group.addTask {
                do {
                    if let post = try await self.openLate() { await self.keep(post) }
                } catch let error as CloudError where error.code == "no_libvirt" {
                    self.gate.open()
                    self.log.notice("no machines on this host: \(error.detail ?? error.message)")
                } catch {
                    self.gate.open()
                    self.log.error("this host cannot have machines", metadata: ["problem": "\(error)"])
                }
            }
            // A service group ends as soon as one of its services ends, so this one waits for the shutdown.
            group.addTask { try? await gracefulShutdown() }
        }
    }

    private func keep(_ post: Post) async {
        let reports = post.link.reports()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await report in reports.untilCancelled() { self.take(report, post) } }
            group.addTask { try? await post.agent.keep() }
            for keeper in post.keepers {
                group.addTask {
                    do { try await keeper() } catch is CancellationError {} catch {
                        self.log.error("a host is not kept any longer", metadata: ["host": "\(post.name)", "problem": "\(error)"])
                    }
                }
            }
        }
    }
}

/// A gate that is closed until it is opened for good.
private final class Gate: Sendable {
    /// The waiting tasks; nil once the gate is open.
    private let waiting = Mutex<[CheckedContinuation<Void, Never>]?>([])

    func wait() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isOpen = waiting.withLock { waiting in
                waiting?.append(continuation)
                return waiting == nil
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiters = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting ?? []
        }
        for waiter in waiters { waiter.resume() }
    }
}
