import CloudCore
package import Logging
package import SQL
import ServiceLifecycle
import Synchronization

/// The settings of a runner. Durations are measured by the world's clock.
package struct RunnerSettings: Sendable {
    /// The most workflows that run at the same time.
    package var width = 64
    /// The most places of one project, so that the work of one project does not block another's. Workflows that the
    /// cloud starts itself have no project.
    package var projectShare = 32
    /// The time for which a workflow belongs to a process that does not renew its lease. If the clocks of two hosts
    /// differ by less than this, the worst effect is a needless change of owner. The epoch ensures that two owners
    /// never both write.
    package var lease = Duration.seconds(30)
    /// The time between two looks for work that no nudge announced.
    package var poll = Duration.seconds(5)
    /// The time that running steps get at shutdown before they are cut off and left to run again.
    package var grace = Duration.seconds(10)
    /// The time for which a workflow of an unknown version is left to other processes before it is marked as blocked.
    package var patienceWithUnknown = Duration.seconds(60)
    /// The shortest time between two writes of progress.
    package var progressInterval = Duration.seconds(1)
    /// Whether no other process can use this database. If so, every row that is marked as running belongs to a dead
    /// process.
    package var isAlone = false

    /// The most retries of one record before the lease is left to run out.
    var mostRecordAttempts = 10

    package init() {}
}

/// A service that claims due workflows and carries them out until the process is told to end.
///
/// One statement claims new work, work that has waited, and work whose owner died. The runner keeps no workflow in
/// memory alone: after a crash there is nothing to restore but the rows.
package struct Runner: Service {
    package let executor: Executor
    package let claims: Claims
    private let bell: Bell
    private let world: World
    private let sleeper: any Sleeper
    private let settings: RunnerSettings
    private let log: Logger
    private let slots: Slots

    /// Creates a runner.
    ///
    /// - Parameters:
    ///   - name: the name of this process, which must differ from all other processes that ever used the database.
    ///   - definitions: the code of exactly the workflows that `workflows` lists.
    /// - Throws: `WorkflowDeclarationError` if the two lists differ.
    package init(
        name: String, database: Database, workflows: Workflows, definitions: [WorkflowDefinition], sleeper: any Sleeper,
        settings: RunnerSettings = RunnerSettings(), faults: FaultPlan = .none, log: Logger
    ) throws {
        let catalog = try WorkflowCatalog(definitions)
        let listed = Set(workflows.outlines.keys)
        if let odd = listed.symmetricDifference(catalog.keys).map(\.description).min() {
            throw WorkflowDeclarationError(description: "\(odd) is listed without being registered, or the reverse.")
        }
        bell = workflows.bell
        world = workflows.world
        self.sleeper = sleeper
        self.settings = settings
        self.log = log
        let slots = Slots()
        self.slots = slots
        claims = Claims(database: database, catalog: catalog, owner: name, world: workflows.world, settings: settings, log: log)
        executor = Executor(
            database: database, catalog: catalog, planner: Planner(), world: workflows.world, sleeper: sleeper,
            settings: settings, bell: workflows.bell, faults: faults, spans: workflows.spans, log: log,
            isQuiescing: { slots.isClosed })
    }

    package func run() async throws {
        try await withGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                if settings.isAlone { await takeOver() }
                while !slots.isClosed, !Task.isCancelled {
                    let wakeAt = await fill(&group)
                    await bell.work.wait(until: wakeAt, by: sleeper)
                }
                let end = world.now + settings.grace
                while slots.load.total > 0, world.now < end, !Task.isCancelled { await bell.work.wait(until: end, by: sleeper) }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            slots.close()
            bell.ring()
        }
    }

    /// Claims as many workflows as there are free places. Returns the time of the next look if nothing rings before.
    private func fill(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async -> Timestamp {
        let latest = world.now + settings.poll
        do {
            try await claims.unblock()
            let load = slots.load
            let room = settings.width - load.total
            let claimed = room > 0 ? try await take(room, beside: load) : []
            for turn in claimed {
                slots.take(turn.row)
                group.addTask {
                    defer {
                        slots.leave(turn.row)
                        bell.ring()
                    }
                    try await executor.run(turn)
                }
            }
            // If every place is taken, the end of one workflow rings.
            let now = slots.load
            guard now.total < settings.width, let next = try await claims.nextDue(beside: now) else { return latest }
            return min(next, latest)
        } catch {
            // The database is away, or a row shows a bug. In both cases the loop must look again, so that other
            // workflows do not wait for ever.
            log.warning("nothing can be claimed: \(error)")
            return latest
        }
    }

    private func take(_ most: Int, beside load: RunnerLoad = RunnerLoad()) async throws -> [Turn] {
        try await claims.take(most, beside: load) { [executor] row, tx in try executor.begin(row, in: tx) }
    }

    /// Carries out one due workflow, for a caller that has a loop of its own. Returns false if nothing was due.
    package func carryOutDue() async throws -> Bool {
        let claimed = try await take(1)
        for turn in claimed { try await executor.run(turn) }
        return !claimed.isEmpty
    }

    private func takeOver() async {
        do { try await claims.takeOver() } catch { log.warning("what was running is left to its leases: \(error)") }
    }
}

/// The places of a runner, and whether it accepts more work.
private final class Slots: Sendable {
    private let state = Mutex((load: RunnerLoad(), isClosed: false))

    var load: RunnerLoad { state.withLock { $0.load } }
    var isClosed: Bool { state.withLock { $0.isClosed } }

    func take(_ row: WorkflowRecord) { state.withLock { $0.load.add(1, row.kind, row.projectID) } }
    func leave(_ row: WorkflowRecord) { state.withLock { $0.load.add(-1, row.kind, row.projectID) } }
    func close() { state.withLock { $0.isClosed = true } }
}
