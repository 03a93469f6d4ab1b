import CloudCore
import Durable
import Logging
import SQL

/// A workflow on its stage, carried out step by step without a loop or a real clock. The claims and the executor are
/// those of the product, called one after the other.
struct Rehearsal: Sendable {
    let fixture: WorkflowFixture
    let database: Database
    let clock: ManualClock
    let world: World
    let stage: any WorkflowStage

    /// The memory of a control plane, which is replaced after a crash.
    struct Plane: Sendable {
        let workflows: Workflows
        let runner: Runner
    }

    /// The behaviour of the outside.
    struct Manners: Sendable {
        var isSilent = false
        var sendsTwice = false
        var sendsStaleFirst = false
    }

    init(_ fixture: WorkflowFixture, on database: Database) async throws {
        self.fixture = fixture
        self.database = database
        clock = ManualClock()
        // All runs have the same seed, so their ids are the same and their outcomes can be compared.
        world = .test(clock: clock)
        stage = try await fixture.makeStage(database, world)
    }

    func plane(_ name: String, _ faults: FaultPlan = .none) throws -> Plane {
        let workflows = try Workflows([fixture.workflow] + fixture.company, world: world)
        let runner = try Runner(
            name: name, database: database, workflows: workflows, definitions: stage.definitions(), sleeper: clock,
            faults: faults, log: Logger(label: name) { _ in SwiftLogNoOpLogHandler() })
        return Plane(workflows: workflows, runner: runner)
    }

    /// Starts the workflow as its service would.
    func start(_ also: @escaping @Sendable (Workflows, WorkflowID, Transaction) throws -> Void = { _, _, _ in }) async throws
        -> WorkflowID
    {
        let workflows = try plane("start").workflows
        return try await database.write { tx in
            let id = try stage.start(workflows, in: tx)
            try also(workflows, id, tx)
            return id
        }
    }

    /// Carries everything on until the workflow has ended, or nothing moves it any more. After a crash it makes a new
    /// plane.
    ///
    /// - Parameter isEnough: returns between two steps whether the rest need not be seen.
    func settle(
        _ id: WorkflowID, as name: String, _ faults: FaultPlan = .none, manners: Manners = Manners(),
        until isEnough: () async throws -> Bool = { false }
    ) async throws {
        var planes = 1
        var plane = try plane(name, faults)
        for _ in 0..<500 {
            let row = try await record(id)
            if row.finishedAt != nil || row.status.needsAttention { return }
            if try await isEnough() { return }
            do {
                if try await plane.runner.runDue() { continue }
            } catch is SimulatedCrash {
                planes += 1
                plane = try self.plane("\(name)-\(planes)", faults)
                continue
            }
            if row.status == .waiting, !manners.isSilent, try await answer(row, manners) { continue }
            try await moveOn(plane)
        }
        throw ConformanceFailure("it does not come to an end: \(try await history(id))")
    }

    /// Moves the clock to the time at which something becomes due.
    private func moveOn(_ plane: Plane) async throws {
        let next = try await plane.runner.claims.nextDue()
        clock.set(next ?? clock.now + .seconds(1))
    }

    /// Sends the signals of the outside to a waiting step. Returns false if there are none.
    private func answer(_ row: WorkflowRecord, _ manners: Manners) async throws -> Bool {
        let stale = manners.sendsStaleFirst ? stage.staleSignals(for: row.step) : []
        let signals = stage.signals(for: row.step)
        if signals.isEmpty { return false }
        let workflows = try plane("outside").workflows
        if !stale.isEmpty {
            try await send(stale, workflows)
            // The workflow must still wait after the stale signals, so they are sent alone.
            _ = try await plane("outside").runner.runDue()
            let after = try await record(row.id)
            guard after.status == .waiting, after.step == row.step else {
                throw ConformanceFailure("a stale signal ended the wait '\(row.step)'")
            }
        }
        try await send(signals + (manners.sendsTwice ? signals : []), workflows)
        return true
    }

    func send(_ signals: [StagedSignal], _ workflows: Workflows) async throws {
        for signal in signals {
            try await database.write { tx in
                _ = try workflows.signal(signal.name, payload: signal.payload, to: signal.resource, in: tx)
            }
        }
    }

    // MARK: Looking

    func record(_ id: WorkflowID) async throws -> WorkflowRecord {
        let workflows = try plane("look").workflows
        guard let row = try await database.read({ tx in try workflows.find(id, in: tx) }) else {
            throw ConformanceFailure("the workflow's row is gone")
        }
        return row
    }

    func events(_ id: WorkflowID) async throws -> [WorkflowEvent] {
        let workflows = try plane("look").workflows
        return try await database.read { tx in try workflows.events(of: id, in: tx) }
    }

    /// Returns everything that is known of a run, for the message of a failure.
    func history(_ id: WorkflowID) async throws -> String {
        let row = try await record(id)
        let lines = try await events(id).map { event in
            let what = "\(event.direction.rawValue) \(event.step) \(event.kind.rawValue) \(event.data ?? "")"
            return "  \(event.sequence) [\(event.epoch)] \(what)"
        }
        let head = "\(row.status.rawValue) at '\(row.step)' (\(row.direction.rawValue)) \(row.reason ?? "")"
        return ([head] + lines).joined(separator: "\n")
    }
}

/// The error of a workflow, or of the suite itself, that does not keep a promise.
package struct ConformanceFailure: Error, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}
