import CloudCore
@testable import Durable
import Logging
import SQL
import TestSupport
import Testing

@Suite struct ReconcilerTests {
    /// A reconciler that counts its passes and behaves as a test says.
    private struct Counting: Reconciler {
        let name = "counting"
        let interval = Duration.seconds(60)
        let deadline = Duration.seconds(10)
        let passes = Box(0)
        let behaviour = Box<@Sendable () async throws -> ReconcilerReport>({ ReconcilerReport(examined: 3, changed: 1) })

        func reconcile() async throws -> ReconcilerReport {
            passes.update { $0 += 1 }
            return try await behaviour.value()
        }
    }

    private func looping(
        _ reconciler: some Reconciler, _ body: @Sendable (ReconcilerLoop, ManualClock) async throws -> Void
    ) async throws {
        let clock = ManualClock()
        let loop = ReconcilerLoop(
            reconciler, world: .test(clock: clock), sleeper: clock, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await loop.run() }
            try await body(loop, clock)
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    @Test("A reconciler runs at the start, after a nudge, and by its timer")
    func causes() async throws {
        let reconciler = Counting()
        try await looping(reconciler) { loop, clock in
            try await eventually { loop.status.passes == 1 && !clock.alarms.isEmpty }
            loop.nudge()
            try await eventually { loop.status.passes == 2 }
            try await eventually("the timer is set") {
                clock.advance(by: .seconds(60))
                return loop.status.passes >= 3
            }
            #expect(loop.status.lastReport == ReconcilerReport(examined: 3, changed: 1))
            #expect(loop.status.lastSuccess != nil)
        }
    }

    @Test("Nudges during a pass cause exactly one more pass after it")
    func coalesced() async throws {
        let reconciler = Counting()
        let gate = Gate()
        reconciler.behaviour.value = {
            try await gate.pass()
            return ReconcilerReport()
        }
        try await looping(reconciler) { loop, clock in
            try await eventually { gate.arrivals == 1 }
            for _ in 1...100 { loop.nudge() }
            gate.open()
            try await eventually { gate.arrivals == 2 }
            gate.open()
            try await eventually { loop.status.passes == 2 }
            #expect(reconciler.passes.value == 2)
        }
    }

    @Test("Failures and problems are counted until a pass succeeds, and the loop goes on")
    func failures() async throws {
        let reconciler = Counting()
        reconciler.behaviour.value = { throw CloudError(.unavailable, "Away.") }
        try await looping(reconciler) { loop, _ in
            try await eventually { loop.status.failuresInARow == 1 }
            #expect(loop.status.lastError?.contains("Away.") == true)
            reconciler.behaviour.value = { ReconcilerReport(problems: ["port 7 has no host"]) }
            loop.nudge()
            try await eventually { loop.status.failuresInARow == 2 }
            #expect(loop.status.lastError == nil)
            reconciler.behaviour.value = { ReconcilerReport() }
            loop.nudge()
            try await eventually { loop.status.failuresInARow == 0 && loop.status.passes == 3 }
        }
    }

    @Test("A pass that does not end is cancelled at its deadline")
    func deadline() async throws {
        let reconciler = Counting()
        let gate = Gate()
        reconciler.behaviour.value = {
            try await gate.pass()
            return ReconcilerReport()
        }
        try await looping(reconciler) { loop, clock in
            try await eventually { gate.arrivals == 1 && !clock.alarms.isEmpty }
            clock.advance(by: .seconds(10))
            try await eventually { loop.status.passes == 1 }
            #expect(loop.status.failuresInARow == 1)
            #expect(loop.status.lastError?.contains("too long") == true)
        }
    }

    @Test("The history of ended workflows is deleted after its retention", arguments: DatabaseKind.allCases)
    func history(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let ended = try await plant.create()
            try await plant.database.write { tx in try plant.workflows.requestCancel(ended, in: tx) }
            try await plant.settle(try plant.runner("a"))
            let active = try await plant.create("machine-2")
            let reconciler = HistoryReconciler(database: plant.database, world: plant.world, retention: .seconds(1000))
            var report = try await reconciler.reconcile()
            #expect(report.changed == 0)
            plant.clock.advance(by: .seconds(1001))
            report = try await reconciler.reconcile()
            #expect(report.changed == 1)
            let left = try await plant.database.read { tx in
                try tx.rows("SELECT id AS id FROM workflow UNION SELECT workflow_id AS id FROM workflow_event").map { row in
                    try row["id"] as String
                }
            }
            #expect(left == [active.text])
        }
    }
}
