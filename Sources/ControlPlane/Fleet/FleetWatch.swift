import AgentCore
import CloudCore
import Compute
import Drivers
import Durable
import HostModel
import Logging
import SQL
import ServiceLifecycle

/// The service that records what hosts report: their resources in Placement, the states of their machines in Compute.
///
/// Reports are recorded in batches. A host that reports what it reported before costs nothing while no server has
/// changed, and one look at its servers otherwise; only what differs is written.
struct FleetWatch: Service {
    let fleet: Fleet
    let placement: PlacementForCompute
    let compute: ComputeAssembly
    let database: Database
    let world: World
    let sleeper: any Sleeper
    let log: Logger
    private let recorded = RecordedReports()

    /// The most hosts of one transaction: one that holds the writer for long is an outage, and delays the end.
    private static let batch = 200
    /// The time between two batches, in which further reports come together.
    private static let pause = Duration.milliseconds(100)

    /// Records all that is known now, for the start.
    func take() async throws {
        let facts = await fleet.facts()
        for first in stride(from: 0, to: facts.count, by: Self.batch) {
            try Task.checkCancellation()
            try await record(Array(facts[first..<min(first + Self.batch, facts.count)]))
        }
    }

    func run() async throws {
        let news = fleet.news()
        let pending = PendingReports()
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await (host, report) in news.untilCancelled() { pending.add(report, of: host) } }
                group.addTask { await recordAll(pending) }
                await group.next()
                group.cancelAll()
            }
        }
    }

    private func recordAll(_ pending: PendingReports) async {
        // This takes the reports from before the stream began. If it fails, the next inventory makes up for it.
        try? await take()
        for await _ in pending.bell.untilCancelled() {
            let (hosts, machines) = pending.next(Self.batch)
            do {
                try await record(hosts.compactMap { fleet.facts(of: $0) })
                if !machines.isEmpty { _ = try await compute.take(machines.mapValues { $0.map { $0.lowered(fleet.era) } }) }
            } catch is CancellationError { return } catch {
                log.error(
                    "what hosts said could not be written down",
                    metadata: ["hosts": "\(hosts.count + machines.count)", "problem": "\(error)"])
            }
            try? await sleeper.sleep(until: world.now + Self.pause)
        }
    }

    private func record(_ facts: [HostFacts]) async throws {
        // Most inventories differ from the one before only in the free amounts.
        let new = facts.filter { !recorded.has($0.inventory.resources.lasting, of: $0.name) }
        if !new.isEmpty {
            let reports = new.map { HostReport($0, at: world.now) }
            try await database.write { tx in try placement.ensure(reports, in: tx) }
            for one in new { recorded.note(one.inventory.resources.lasting, of: one.name) }
        }
        for one in facts { fleet.settle(one.name) }
        // The revision is read before the rows, so that a later change counts as new.
        let revision = try await compute.revisionOfServers()
        var sightings: [String: [ObservedMachine]] = [:]
        for one in facts {
            let seen = one.inventory.sightings(fleet.era)
            if !recorded.agree(seen, on: one.name, at: revision) { sightings[one.name] = seen }
        }
        if sightings.isEmpty { return }
        let undecided = try await compute.take(sightings)
        for (host, seen) in sightings where !undecided.contains(host) { recorded.note(seen, on: host, at: revision) }
    }
}

extension HostInventory {
    /// Returns the machines that are as wanted, or as their guests have chosen, with generations as rows count them.
    fileprivate func sightings(_ era: FenceEra) -> [ObservedMachine] {
        machines.filter { !unsettled.contains($0.id) }.map { $0.lowered(era) }
    }
}

extension ObservedMachine {
    /// Returns the same machine with the generation as rows count it.
    func lowered(_ era: FenceEra) -> ObservedMachine {
        var machine = self
        machine.fence.generation = era.lower(fence.generation)
        return machine
    }
}
