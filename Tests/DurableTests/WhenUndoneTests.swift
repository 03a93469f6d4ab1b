import CloudCore
@testable import Durable
import SQL
import TestSupport
import Testing

/// `WhenUndone`, by a workflow that has one at its head and one in the middle.
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

    @Test("The stored list of steps has undos without a step as the natures that they have")
    func fingerprint() {
        #expect(outline.fingerprint == "remote:keep local:mark local:restore remote:copy local:finish")
        #expect(outline.problems.isEmpty)
    }

    @Test("The way forward passes over them")
    func forward() {
        #expect(outline.first?.name == "mark")
        let next = planner.succeeded(row("mark"), outline, 1, state: "{}", notes: [], now: now)
        #expect(next.row.step == "copy")
        #expect(next.row.progress == 60)
    }

    @Test("The undo has them in their places: that at the head is the last, and runs whichever step fails")
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

    @Test("A row of a release that knew them as steps goes on from them, or is undone from them", arguments: ["keep", "restore"])
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

    @Test("A row that stands at one runs to its end", arguments: DatabaseKind.allCases)
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
