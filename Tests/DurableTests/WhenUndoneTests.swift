import CloudCore
@testable import Durable
import SQL
import TestSupport
import Testing

/// Tests of `WhenUndone` with a workflow that has one before its first step and one between steps.
@Suite struct WhenUndoneTests {
    private let planner = Planner()
    private let outline = Outline(CopyMachine.self)
    private let now = Timestamp(seconds: 1000)

    private func row(_ step: String, attempt: Int = 0, isCancelled: Bool = false) -> WorkflowRecord {
        WorkflowRecord(
            id: WorkflowID("w"), kind: CopyMachine.kind, version: 1, fingerprint: outline.fingerprint,
            resource: ResourceKey("test/1"), input: "{}", state: "{}", status: .running, direction: .forward, step: step,
            attempt: attempt, interrupted: 1, progress: 0, epoch: 1, sequence: 0, owner: "me", leaseUntil: now, runAfter: now,
            cancelRequested: isCancelled, createdAt: now, updatedAt: now)
    }

    @Test("The fingerprint lists an undo-only step as a local or remote one")
    func fingerprint() {
        #expect(outline.fingerprint == "remote:keep local:mark local:restore remote:copy local:finish")
        #expect(outline.problems.isEmpty)
    }

    @Test("The way forward skips undo-only steps")
    func forward() {
        #expect(outline.first?.name == "mark")
        let next = planner.succeeded(row("mark"), outline, 1, state: "{}", notes: [], now: now)
        #expect(next.row.step == "copy")
        #expect(next.row.progress == 60)
    }

    @Test("The undo visits undo-only steps in their places; one at the head runs last, whichever step fails")
    func undo() {
        func firstUndo(_ step: String, attempt: Int = 0) -> String? {
            let failure = Failure(step: step, error: .badRequest("No."))
            let next = planner.failed(
                row(step, attempt: attempt), outline, outline.index(of: step) ?? 0, failure, isTransient: false, notes: [], now: now)
            return next.row.status == .running ? next.row.step : nil
        }
        #expect(firstUndo("mark") == "keep")
        #expect(firstUndo("copy") == "restore")
        #expect(firstUndo("copy", attempt: 1) == "copy")
        #expect(firstUndo("finish") == "copy")
    }

    @Test("A row of an older release that is at an undo-only step goes on from it or is undone from it", arguments: ["keep", "restore"])
    func released(_ step: String) {
        let index = outline.index(of: step) ?? 0
        switch planner.next(row(step), outline, now: now) {
        case .local(index), .remote(index, _): break
        case let other: Issue.record("\(other)")
        }
        let next = planner.succeeded(row(step), outline, index, state: "{}", notes: [], now: now)
        #expect(next.row.step == (step == "keep" ? "mark" : "copy"))
        guard case .record(let undone) = planner.next(row(step, isCancelled: true), outline, now: now) else {
            Issue.record("the cancel was not heard")
            return
        }
        #expect(undone.row.direction == .undo && undone.row.step == step)
    }

    @Test(
        "A workflow of an older release that is at an undo-only step runs to its end", arguments: DatabaseKind.allCases)
    func releasedRuns(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            try await plant.database.write { tx in try MachineStore().insert(plant.machineID, in: tx) }
            let copy = try await plant.copy()
            #expect(try await plant.row(copy).step == "mark")
            try await plant.database.write { tx in _ = try tx.execute("UPDATE workflow SET step = 'keep'") }
            try await plant.settle(try plant.runner("a"))
            #expect(try await plant.row(copy).status == .succeeded)
            #expect(plant.host.contents.contains("name copy of machine-1"))
        }
    }
}
