import CloudCore
@testable import Durable
import Logging
import SQL
import TestSupport
import Testing

@Suite struct ProgressTests {
    private struct Slow: Workflow {
        struct Nothing: WorkflowState {}
        typealias Input = Nothing
        typealias State = Nothing
        typealias Needs = Gate
        static let kind: WorkflowKind = "test.slow"
        static var steps: Steps<Self> {
            Remote("copy") { _, run in
                for done in 1...50 { run.progress(done: Int64(done), of: 100) }
                try await run.needs.pass()
            }
            Local("end") { _, _, _ in }
        }
    }

    @Test("Progress counts all steps and is written at most once a second", arguments: DatabaseKind.allCases)
    func throttled(_ kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [.durable]) { test in
            let clock = ManualClock()
            let gate = Gate()
            let workflows = try Workflows([Slow.self], world: .test(clock: clock))
            let runner = try Runner(
                name: "a", database: test.database, workflows: workflows,
                definitions: [WorkflowDefinition(Slow.self, needs: gate)], sleeper: clock,
                log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let id = try await test.database.write { tx in
                try workflows.start(Slow.self, .init(), on: ResourceKey("test/1"), as: nil, in: tx)
            }
            let progress: @Sendable () async throws -> Int? = {
                try await test.database.read { tx in try workflows.find(id, in: tx)?.progress }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await runner.runDue() }
                try await eventually { gate.arrivals == 1 }
                // The second has not passed yet: nothing is written, and the writer waits for its end.
                try await eventually { clock.alarms.contains(clock.now + .seconds(1)) }
                #expect(try await progress() == 0)
                clock.advance(by: .seconds(1))
                try await eventually { try await progress() == 25 }
                gate.open()
                try await group.waitForAll()
            }
            #expect(try await progress() == 100)
        }
    }
}
