import AgentCore
import CloudCore
import Compute
import Drivers
import HostModel
import Logging
import SQL
import ServiceLifecycle

/// The service that records what hosts report: their resources in Placement, the states of their machines in Compute.
struct FleetWatch: Service {
    let fleet: Fleet
    let placement: PlacementForCompute
    let compute: ComputeAssembly
    let database: Database
    let world: World
    let log: Logger

    /// The most hosts of one transaction: one that holds the writer for long is an outage, and delays the end.
    private static let batch = 200

    /// Records all that is known now, for the start.
    func take() async throws {
        let facts = await fleet.facts()
        for first in stride(from: 0, to: facts.count, by: Self.batch) {
            try Task.checkCancellation()
            try await inventories(Array(facts[first..<min(first + Self.batch, facts.count)]))
        }
        for one in facts { fleet.settle(one.name) }
        for one in facts {
            try Task.checkCancellation()
            try await compute.take(one.inventory.sightings(fleet.era), on: one.name)
        }
    }

    func run() async throws {
        let news = fleet.news()
        await cancelWhenGracefulShutdown {
            var written: [String: HostResources] = [:]
            // This takes the reports from before the stream began. If it fails, the next inventory makes up for it.
            try? await take()
            for await (host, report) in news.untilCancelled() {
                do { try await take(report, of: host, &written) } catch is CancellationError { return } catch {
                    log.error("what a host said could not be written down", metadata: ["host": "\(host)", "problem": "\(error)"])
                }
            }
        }
    }

    private func take(_ report: AgentReport, of host: String, _ written: inout [String: HostResources]) async throws {
        switch report {
        case .inventory(let inventory):
            // Most inventories differ from the one before only in the free amounts.
            let lasting = inventory.resources.lasting
            if written[host] != lasting {
                try await inventories(fleet.facts(of: host).map { [$0] } ?? [])
                written[host] = lasting
                fleet.settle(host)
            }
            try await compute.take(inventory.sightings(fleet.era), on: host)
        case .machine(_, let machine): try await compute.take([machine.lowered(fleet.era)], on: host)
        case .gone, .event, .problem: break
        }
    }

    private func inventories(_ facts: [HostFacts]) async throws {
        guard !facts.isEmpty else { return }
        let reports = facts.map { HostReport($0, at: world.now) }
        try await database.write { tx in try placement.ensure(reports, in: tx) }
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
    fileprivate func lowered(_ era: FenceEra) -> ObservedMachine {
        var machine = self
        machine.fence.generation = era.lower(fence.generation)
        return machine
    }
}
