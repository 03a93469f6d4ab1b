import CloudCore
import Durable
import Foundation
import SQL
import Testing

/// The trials of missing values: no workflow may ignore one. Each value that a step has noted in the state is taken
/// away, before each later step and before each undo. The workflow must come to the same end as with the value, or
/// complain with an internal error that names the value and the step that should have noted it.
extension WorkflowFixture {
    /// Runs all trials, and records an issue for each that ends differently without a complaint.
    ///
    /// - Returns: the number of complaints.
    @discardableResult
    package func complainsOfWhatIsMissing(on kind: DatabaseKind) async throws -> Int {
        try await TestDatabase.withDatabase(kind, schemas: [.durable] + schemas) { test in
            let expected = try await WorkflowConformance(fixture: self, trial: .undisturbed).undisturbed(test.database)
            var complaints = 0
            for direction in [WorkflowRecord.Direction.forward, .undo] {
                for (step, names) in try await WorkflowAmnesia.notes(of: self, direction, test.database) {
                    for name in names {
                        let amnesia = WorkflowAmnesia(fixture: self, step: step, direction: direction, name: name)
                        if try await amnesia.run(test.database, expected) { complaints += 1 }
                    }
                }
            }
            return complaints
        }
    }
}

/// One value that is missing at one step.
struct WorkflowAmnesia: Sendable, CustomStringConvertible {
    let fixture: WorkflowFixture
    let step: String
    let direction: WorkflowRecord.Direction
    /// The name of the value: a member of the state.
    let name: String

    var description: String {
        "\(fixture.outline.key.kind), '\(name)' is missing at \(direction == .undo ? "the undo of " : "")'\(step)'"
    }

    /// Returns the names of the values in the state at each step, from an undisturbed run.
    static func notes(
        of fixture: WorkflowFixture, _ direction: WorkflowRecord.Direction, _ database: Database
    ) async throws -> [(step: String, names: [String])] {
        try await database.empty()
        let rehearsal = try await Rehearsal(fixture, on: database)
        let id = try await rehearsal.start()
        let faults = PlannedFaults()
        let found = Box<[String: [String]]>([:])
        let outline = fixture.outline
        for step in outline.steps where direction == .undo ? step.hasUndo : !step.isUndoOnly {
            faults.add(
                .meanwhile {
                    let names = try await rehearsal.database.read { tx in try Array(state(of: id, in: tx).keys) }
                    found.update { $0[step.name] = names.sorted() }
                }, at: .init(step.name, direction, .beforeStart))
        }
        if direction == .undo { fall(faults, rehearsal, id) }
        try await rehearsal.settle(id, as: "notes", faults.plan())
        return outline.steps.compactMap { step in found.value[step.name].map { (step.name, $0) } }
    }

    /// Plans a fault that undoes everything: the last step that can be undone fails.
    private static func fall(_ faults: PlannedFaults, _ rehearsal: Rehearsal, _ id: WorkflowID) {
        guard let last = rehearsal.fixture.outline.steps.last(where: { !$0.isPastReturn && !$0.isUndoOnly }) else { return }
        if last.isRemote {
            faults.add(.fail(CloudError.badRequest("Undone by the suite.")), at: .init(last.name, .forward, .afterBody))
            return
        }
        faults.add(
            .meanwhile {
                let workflows = try rehearsal.plane("user").workflows
                try await rehearsal.database.write { tx in try workflows.requestCancel(id, in: tx) }
            }, at: .init(last.name, .forward, .beforeStart))
    }

    /// Runs the trial. Returns whether the workflow complained.
    func run(_ database: Database, _ expected: String) async throws -> Bool {
        try await database.empty()
        let rehearsal = try await Rehearsal(fixture, on: database)
        let id = try await rehearsal.start()
        let faults = PlannedFaults()
        faults.add(
            .meanwhile { try await rehearsal.database.write { tx in try forget(of: id, in: tx) } },
            at: .init(step, direction, .beforeStart))
        if direction == .undo { Self.fall(faults, rehearsal, id) }
        do {
            try await rehearsal.settle(id, as: "forgetful", faults.plan()) { try await complains(rehearsal, id) }
            if try await complains(rehearsal, id) { return true }
            try await check(rehearsal, id, expected)
        } catch {
            Issue.record("\(self): \(error)")
        }
        return false
    }

    /// Checks the end of a workflow that has not complained.
    private func check(_ rehearsal: Rehearsal, _ id: WorkflowID, _ expected: String) async throws {
        let row = try await rehearsal.record(id)
        switch (row.status, direction) {
        case (.blocked, _):
            // The state cannot be read without the value.
            return
        case (.succeeded, .forward):
            let outcome = try await rehearsal.database.read { tx in try rehearsal.stage.outcome(tx) }
            guard outcome == expected else {
                throw ConformanceFailure("nobody said so, and it came to\n\(outcome)\ninstead of\n\(expected)")
            }
        case (.unwound, .undo):
            let left = try await rehearsal.database.read { tx in try rehearsal.stage.leftovers(tx) }
            guard left.isEmpty else { throw ConformanceFailure("nobody said so, and it left behind: \(left)") }
        default:
            throw ConformanceFailure("nobody said so: \(try await rehearsal.history(id))")
        }
    }

    /// Returns whether a step has failed with an internal error that names the value and the step that notes it. That
    /// step must be an earlier one; for an undo it may also be its own step.
    private func complains(_ rehearsal: Rehearsal, _ id: WorkflowID) async throws -> Bool {
        try await rehearsal.events(id).contains { event in
            guard event.kind == .failed || event.kind == .retried, let data = event.data else { return false }
            let failure = try StoredJSON.value(Failure.self, from: data)
            guard failure.kind == .internalError, let detail = failure.detail else { return false }
            let outline = fixture.outline
            return outline.steps.contains { noting in
                guard detail.hasPrefix("'\(name)' is missing: '\(noting.name)' should") else { return false }
                guard let place = outline.index(of: noting.name), let now = outline.index(of: event.step) else { return false }
                return event.direction == .undo ? place <= now : place < now
            }
        }
    }

    private func forget(of id: WorkflowID, in tx: Transaction) throws {
        var state = try Self.state(of: id, in: tx)
        state[name] = nil
        let text = String(decoding: try JSONSerialization.data(withJSONObject: state), as: UTF8.self)
        try tx.execute("UPDATE workflow SET state = ? WHERE id = ?", text, id.text)
    }

    private static func state(of id: WorkflowID, in tx: Transaction) throws -> [String: Any] {
        let text: String? = try tx.value("SELECT state FROM workflow WHERE id = ?", id.text)
        return try JSONSerialization.jsonObject(with: Data((text ?? "{}").utf8)) as? [String: Any] ?? [:]
    }
}
