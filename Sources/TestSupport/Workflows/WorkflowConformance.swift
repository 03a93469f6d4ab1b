import CloudCore
import Durable
import SQL
import Testing

/// The trials that every workflow must pass, whatever it does. It is failed, repeated, crashed, taken over, cut off
/// from the database and cancelled at each of its steps, in both directions. It must come to the end of an undisturbed
/// run, or leave nothing behind.
///
/// ```
/// static let fixtures = [
///     WorkflowFixture(CreateServer.self, schemas: [.compute]) { database, world in ServerStage(…) }
/// ]
///
/// @Test(arguments: fixtures, DatabaseKind.allCases)
/// func conforms(_ fixture: WorkflowFixture, on kind: DatabaseKind) async throws {
///     try await fixture.conforms(on: kind)
/// }
/// ```
extension WorkflowFixture {
    /// Runs all trials, one after the other on one emptied database, and records an issue for each promise that is not
    /// kept.
    ///
    /// - Returns: the number of trials.
    @discardableResult
    package func conforms(on kind: DatabaseKind) async throws -> Int {
        let trials = Trial.all(of: outline).map { (trial: $0, isChained: false) }
            + Trial.chained(of: outline).map { (trial: $0, isChained: true) }
        try await TestDatabase.withDatabase(kind, schemas: [.durable] + schemas) { test in
            let expected = try await WorkflowConformance(fixture: self, trial: .undisturbed).undisturbed(test.database)
            for (trial, isChained) in trials {
                try await test.database.empty()
                do {
                    let conformance = WorkflowConformance(fixture: self, trial: trial, isChained: isChained)
                    try await conformance.run(test.database, expected)
                } catch {
                    Issue.record("\(outline.key.kind), \(trial)\(isChained ? ", in chains" : ""): \(error)")
                }
            }
        }
        return trials.count
    }
}

extension Database {
    /// Deletes every row of every service.
    func empty() async throws {
        let names =
            switch dialect {
            case .sqlite: "SELECT name FROM sqlite_schema WHERE type = 'table'"
            case .postgreSQL: "SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()"
            }
        try await write { tx in
            let tables: [String] = try tx.rows(names).map { try $0["name"] }.filter { !$0.hasPrefix("sql") }
            switch tx.dialect {
            case .sqlite:
                // Rows refer to each other, in an order that the list of tables does not show.
                try tx.execute("PRAGMA defer_foreign_keys = ON")
                for table in tables { try tx.execute("DELETE FROM \(table)") }
            case .postgreSQL: try tx.execute("TRUNCATE \(tables.joined(separator: ", "))")
            }
        }
    }
}

/// One trial of one workflow.
struct WorkflowConformance: Sendable {
    let fixture: WorkflowFixture
    let trial: Trial
    /// Whether one transaction may record several steps.
    var isChained = false

    /// The failures of a step in a chain: more than there are steps before it. A step past the point of no return
    /// succeeds after them.
    private static let failuresInChain = 8

    /// Returns the outcome of an undisturbed run.
    func undisturbed(_ database: Database) async throws -> String {
        let rehearsal = try await Rehearsal(fixture, on: database)
        let id = try await rehearsal.start()
        try await rehearsal.settle(id, as: "undisturbed")
        return try await outcome(rehearsal, id)
    }

    func run(_ database: Database, _ expected: String) async throws {
        let rehearsal = try await Rehearsal(fixture, on: database)
        let (id, isReached) = try await disturbed(rehearsal)
        try await check(rehearsal, id, expected, isReached ? trial.verdict(in: fixture.outline) : .succeeds)
    }

    // MARK: Disturbing

    /// Returns the workflow, and whether the faults of the trial happened.
    private func disturbed(_ rehearsal: Rehearsal) async throws -> (WorkflowID, isReached: Bool) {
        let faults = PlannedFaults()
        var plan = faults.plan(allowsChains: isChained)
        var manners = Rehearsal.Manners()
        var permanent = CloudError(.badRequest, "Refused by the conformance suite.")
        permanent.isTransient = false
        let id = try await rehearsal.start { workflows, id, tx in
            if case .cancelled(after: nil) = trial { try workflows.requestCancel(id, in: tx) }
        }
        switch trial {
        case .undisturbed, .cancelled(after: nil): break
        case .fails(let step, let isDone):
            // A step that fails behind others runs again without them, before its failure is recorded.
            let place = FaultPlan.Place(step.name, .forward, isDone ? .afterBody : .body)
            faults.add(.fail(permanent), at: place, times: isChained ? Self.failuresInChain : 1)
        case .bodyTwice(let step): faults.add(.twice, at: .init(step.name, .forward, .body))
        case .undoTwice(let step):
            fall(after: step, faults, rehearsal, id)
            faults.add(.twice, at: .init(step.name, .undo, .body))
        case .crash(let step, let direction, let moment):
            if direction == .undo { fall(after: step, faults, rehearsal, id) }
            faults.add(.crash, at: .init(step.name, direction, moment))
        case .databaseAway(let step, let direction, let moment, let isCommitted):
            if direction == .undo { fall(after: step, faults, rehearsal, id) }
            // A remote step has two records; the record of its start is written first.
            faults.add(.databaseAway(isCommitted: isCommitted), at: .init(step.name, direction, moment))
        case .twoOwners(let step, let direction, let moment):
            if direction == .undo { fall(after: step, faults, rehearsal, id) }
            let isReached = try await twoOwners(rehearsal, id, faults, .init(step.name, direction, moment))
            return (id, isReached)
        case .cancelled(let step?):
            faults.add(cancel(rehearsal, id), at: .init(step.name, .forward, .afterOutcome))
        case .timesOut: manners.isSilent = true
        case .signalsEarly:
            let all = fixture.outline.steps.flatMap { rehearsal.stage.signals(for: $0.name) }
            try await rehearsal.send(all, try rehearsal.plane("early").workflows)
        case .signalsTwice: manners.sendsTwice = true
        case .signalsStale: manners.sendsStaleFirst = true
        case .signalsLate: break
        case .mixture(let seed): plan = MixedFaults(seed: seed).plan(allowsChains: isChained)
        }
        if case .timesOut(let step) = trial, step.isPastReturn, step.waits?.onTimeout == .fail {
            // Past the point of no return the step waits again, as long as nobody answers.
            try await silence(rehearsal, id)
            manners.isSilent = false
        }
        try await rehearsal.settle(id, as: "first", plan, manners: manners)
        if case .signalsLate = trial { try await late(rehearsal, id) }
        return (id, try await requireReached(faults, rehearsal, id))
    }

    /// Returns whether all planned faults happened. In a chain, a remote step with nothing to do never begins.
    ///
    /// - Throws: `ConformanceFailure` if one did not happen that should have.
    private func requireReached(
        _ faults: PlannedFaults, _ rehearsal: Rehearsal, _ id: WorkflowID
    ) async throws -> Bool {
        let begun = try await rehearsal.events(id).filter { $0.kind == .started }.map(\.step)
        let idle = fixture.outline.steps.filter { $0.isRemote && !begun.contains($0.name) }.map(\.name)
        guard faults.left.allSatisfy({ isChained && idle.contains($0.step) }) else {
            throw ConformanceFailure("not reached: \(faults.left)\n\(try await rehearsal.history(id))")
        }
        return faults.left.isEmpty
    }

    /// Plans a fault by which the workflow is undone from `step` on, beginning with that step's own undo.
    private func fall(after step: StepOutline, _ faults: PlannedFaults, _ rehearsal: Rehearsal, _ id: WorkflowID) {
        let outline = fixture.outline
        if step.isUndoOnly {
            // The entry does nothing on the way forward, so the undo begins at the step after it.
            let next = outline.index(of: step.name).flatMap { outline.index(after: $0) }.map { outline.steps[$0].name }
            faults.add(cancel(rehearsal, id), at: .init(next ?? step.name, .forward, .beforeStart))
        } else if step.isRemote {
            faults.add(.fail(CloudError.badRequest("Undone by the suite.")), at: .init(step.name, .forward, .afterBody))
        } else {
            faults.add(cancel(rehearsal, id), at: .init(step.name, .forward, .afterOutcome))
        }
    }

    private func cancel(_ rehearsal: Rehearsal, _ id: WorkflowID) -> FaultPlan.Fault {
        .meanwhile {
            let workflows = try rehearsal.plane("user").workflows
            try await rehearsal.database.write { tx in try workflows.requestCancel(id, in: tx) }
        }
    }

    /// Lets the first owner stand still at `place` until its lease is over and another owner has ended the workflow.
    /// Then the first owner goes on, and must not write anything. Returns whether the place was reached.
    private func twoOwners(
        _ rehearsal: Rehearsal, _ id: WorkflowID, _ faults: PlannedFaults, _ place: FaultPlan.Place
    ) async throws -> Bool {
        let ended = Box<[WorkflowEvent]?>(nil)
        let outcome = Box<String?>(nil)
        faults.add(
            .meanwhile {
                rehearsal.clock.advance(by: RunnerSettings().lease + .seconds(1))
                try await rehearsal.settle(id, as: "second")
                ended.value = try await rehearsal.events(id)
                outcome.value = try await rehearsal.database.read { tx in try rehearsal.stage.outcome(tx) }
            }, at: place)
        try await rehearsal.settle(id, as: "first", faults.plan(allowsChains: isChained))
        let after = try await rehearsal.events(id)
        guard let before = ended.value else { return try await requireReached(faults, rehearsal, id) }
        guard before == after else {
            throw ConformanceFailure("the loser wrote after it had lost:\n\(try await rehearsal.history(id))")
        }
        let now = try await rehearsal.database.read { tx in try rehearsal.stage.outcome(tx) }
        guard now == outcome.value else {
            throw ConformanceFailure("the loser changed the world after it had lost:\n\(now)\ninstead of\n\(outcome.value ?? "")")
        }
        return true
    }

    private func silence(_ rehearsal: Rehearsal, _ id: WorkflowID) async throws {
        let plane = try rehearsal.plane("silence")
        for _ in 0..<100 {
            _ = try await plane.runner.runDue()
            rehearsal.clock.advance(by: .seconds(3600))
        }
        guard try await rehearsal.record(id).finishedAt == nil else {
            throw ConformanceFailure("it ended without an answer:\n\(try await rehearsal.history(id))")
        }
    }

    private func late(_ rehearsal: Rehearsal, _ id: WorkflowID) async throws {
        let before = try await rehearsal.record(id)
        let all = fixture.outline.steps.flatMap { rehearsal.stage.signals(for: $0.name) }
        try await rehearsal.send(all, try rehearsal.plane("late").workflows)
        _ = try await rehearsal.plane("late").runner.runDue()
        guard try await rehearsal.record(id) == before else { throw ConformanceFailure("a late signal changed the workflow") }
    }

    // MARK: Judging

    private func check(
        _ rehearsal: Rehearsal, _ id: WorkflowID, _ expected: String, _ verdict: Trial.Verdict
    ) async throws {
        let row = try await rehearsal.record(id)
        switch (verdict, row.status) {
        case (.succeeds, .succeeded), (.either, .succeeded):
            let outcome = try await outcome(rehearsal, id)
            guard outcome == expected else {
                throw ConformanceFailure("it came to\n\(outcome)\ninstead of\n\(expected)\n\(try await rehearsal.history(id))")
            }
        case (.leavesNothing, .unwound), (.either, .unwound):
            let left = try await rehearsal.database.read { tx in try rehearsal.stage.leftovers(tx) }
            guard left.isEmpty else {
                throw ConformanceFailure("it left behind: \(left)\n\(try await rehearsal.history(id))")
            }
        case (let verdict, _):
            throw ConformanceFailure("it should have ended as \(verdict):\n\(try await rehearsal.history(id))")
        }
    }

    /// Returns the outcome of a run that succeeded, after checking that every step was done once and in order.
    private func outcome(_ rehearsal: Rehearsal, _ id: WorkflowID) async throws -> String {
        let done = try await rehearsal.events(id).filter { $0.kind == .succeeded && $0.direction == .forward }.map(\.step)
        guard done == fixture.outline.steps.filter({ !$0.isUndoOnly }).map(\.name) else {
            throw ConformanceFailure("its steps were done as \(done):\n\(try await rehearsal.history(id))")
        }
        return try await rehearsal.database.read { tx in try rehearsal.stage.outcome(tx) }
    }
}
