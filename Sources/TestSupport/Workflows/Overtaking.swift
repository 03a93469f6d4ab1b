import CloudCore
package import Durable
package import SQL
import Testing

extension WorkflowFixture {
    /// At each step of the workflow, starts another workflow on the same resource, as a delete may come at any time:
    /// before the step, within it if it is remote, and after it. Both are carried to their end.
    ///
    /// - Parameters:
    ///   - ask: starts the other workflow.
    ///   - afterwards: starts a workflow that the cloud begins by itself once both have ended; nil for none.
    ///   - judge: returns whether a line of the stage's outcome may be there at the end, beside all its lines.
    package func overtaken(
        on kind: DatabaseKind, by ask: @escaping @Sendable (Workflows, Transaction) throws -> WorkflowID,
        afterwards: @escaping @Sendable (Workflows, Transaction) throws -> WorkflowID? = { _, _ in nil }, judge: @Sendable (Substring, [Substring]) -> Bool
    ) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [.durable] + schemas) { test in
            for step in outline.steps where !step.isUndoOnly {
                for moment: FaultPlan.Moment in step.isRemote ? [.beforeStart, .afterBody, .afterOutcome] : [.beforeStart, .afterOutcome] {
                    try await test.database.empty()
                    let lines = try await overtaken(at: .init(step.name, .forward, moment), test.database, ask, afterwards)
                    let left = lines.filter { !judge($0, lines) }
                    #expect(left.isEmpty, "\(outline.key.kind), at \(moment) of '\(step.name)'")
                }
            }
        }
    }

    private func overtaken(
        at place: FaultPlan.Place, _ database: Database, _ ask: @escaping @Sendable (Workflows, Transaction) throws -> WorkflowID,
        _ afterwards: @escaping @Sendable (Workflows, Transaction) throws -> WorkflowID?
    ) async throws -> [Substring] {
        let rehearsal = try await Rehearsal(self, on: database)
        let other = Box<WorkflowID?>(nil)
        let faults = PlannedFaults()
        faults.add(
            .meanwhile {
                let workflows = try rehearsal.plane("user").workflows
                other.value = try await database.write { tx in try ask(workflows, tx) }
            }, at: place)
        try await rehearsal.settle(try await rehearsal.start(), as: "first", faults.plan())
        guard let id = other.value else { throw ConformanceFailure("not reached: \(place)") }
        try await rehearsal.settle(id, as: "second")
        let end = try await rehearsal.record(id).status
        guard end == .succeeded else { throw ConformanceFailure("the other ended as \(end): \(try await rehearsal.history(id))") }
        let workflows = try rehearsal.plane("cloud").workflows
        if let more = try await database.write({ tx in try afterwards(workflows, tx) }) { try await rehearsal.settle(more, as: "third") }
        return try await database.read { tx in try rehearsal.stage.outcome(tx) }.split(separator: "\n")
    }
}
