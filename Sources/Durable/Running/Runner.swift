import CloudCore
package import Logging
package import SQL
import ServiceLifecycle
import Synchronization

/// How a runner behaves. Durations are of the world's clock.
package struct RunnerSettings: Sendable {
    /// Workflows that are carried out at the same time.
    package var width = 64
    /// The most places of one project, so that nobody's work waits for another's. What the cloud starts itself has no project.
    package var projectShare = 32
    /// How long a workflow belongs to a process that does not renew it. The clocks of two hosts may differ by less than
    /// this without more than a needless change of hands; that never two of them write is the epoch's work.
    package var lease = Duration.seconds(30)
    /// How often is looked for what no nudge announced.
    package var poll = Duration.seconds(5)
    /// How long steps that run may take at shutdown before they are left to be run again.
    package var grace = Duration.seconds(10)
    /// How long a workflow of an unknown version is left to other processes before it is marked as blocked.
    package var patienceWithUnknown = Duration.seconds(60)
    /// Progress is written no more often than this.
    package var progressInterval = Duration.seconds(1)
    /// Whether no other process can use this database. Then whatever it says is running belongs to a process that is dead.
    package var isAlone = false

    /// Tries of one record before the lease is left to run out.
    var mostRecordAttempts = 10

    package init() {}
}

/// Claims what is due and carries it out, until the process is told to end.
///
/// New work, work that waited, and work whose owner died are claimed by the same statement. Nothing here remembers a
/// workflow: after a crash there is nothing to restore but the rows.
package struct Runner: Service {
    package let executor: Executor
    package let claims: Claims
    private let bell: Bell
    private let world: World
    private let sleeper: any Sleeper
    private let settings: RunnerSettings
    private let log: Logger
    private let slots: Slots

    /// - Parameters:
    ///   - name: of this process, unlike any other that ever used the database.
    ///   - definitions: the code of exactly those workflows that `workflows` lists.
    /// - Throws: `WorkflowDeclarationError` when the two lists differ.
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

    /// Claims as much as there is room for, and says when to look again if nothing rings.
    private func fill(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async -> Timestamp {
        let latest = world.now + settings.poll
        do {
            try await claims.unblock()
            let load = slots.load
            let room = settings.width - load.total
            let claimed = room > 0 ? try await claims.take(room, beside: load) : []
            for row in claimed {
                slots.take(row)
                group.addTask {
                    defer {
                        slots.leave(row)
                        bell.ring()
                    }
                    try await executor.run(row)
                }
            }
            // With every place taken, the end of one rings.
            let now = slots.load
            guard now.total < settings.width, let next = try await claims.nextDue(beside: now) else { return latest }
            return min(next, latest)
        } catch {
            // The database is away, or the row is a bug: either way the others must not wait for ever.
            log.warning("nothing can be claimed: \(error)")
            return latest
        }
    }

    private func takeOver() async {
        do { try await claims.takeOver() } catch { log.warning("what was running is left to its leases: \(error)") }
    }
}

/// The places of a runner, and whether it takes more work.
private final class Slots: Sendable {
    private let state = Mutex((load: RunnerLoad(), isClosed: false))

    var load: RunnerLoad { state.withLock { $0.load } }
    var isClosed: Bool { state.withLock { $0.isClosed } }

    func take(_ row: WorkflowRecord) { state.withLock { $0.load.add(1, row.kind, row.projectID) } }
    func leave(_ row: WorkflowRecord) { state.withLock { $0.load.add(-1, row.kind, row.projectID) } }
    func close() { state.withLock { $0.isClosed = true } }
}
