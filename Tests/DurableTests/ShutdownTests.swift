import CloudCore
@testable import Durable
import Logging
import ServiceLifecycle
import SQL
import TestSupport
import Testing

/// The end of a process in the way of a service group.
@Suite struct ShutdownTests {
    private func ending(
        _ runner: Runner, whenReady: @Sendable () async throws -> Void, after: @Sendable () async throws -> Void
    ) async throws {
        let group = ServiceGroup(services: [runner], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await whenReady()
            await group.triggerGracefulShutdown()
            try await after()
            try await tasks.waitForAll()
        }
    }

    private func gated(_ gate: Gate) -> FaultPlan {
        FaultPlan { $0 == .init("boot", .forward, .body) ? .meanwhile { try await gate.pass() } : nil }
    }

    @Test("At a shutdown the running step may end, its workflow is handed back, and no new one is claimed")
    func finishes() async throws {
        try await Plant.with(.sqlite) { plant in
            let gate = Gate()
            let id = try await plant.create()
            let late = Box<WorkflowID?>(nil)
            try await ending(plant.runner("a", faults: gated(gate))) {
                try await eventually { gate.arrivals == 1 }
            } after: {
                late.value = try await plant.create("machine-2")
                gate.open()
            }
            let row = try await plant.row(id)
            #expect(row.status == .ready)
            #expect(row.step == "until-running")
            #expect(plant.host.calls("ensureMachine") == 1)
            let other = try #require(late.value)
            #expect(try await plant.row(other).interrupted == 0)
            #expect(try await plant.row(other).step == "claim")
        }
    }

    @Test("A step that does not end within the grace period is handed back to run again")
    func abandons() async throws {
        try await Plant.with(.sqlite) { plant in
            let gate = Gate()
            let id = try await plant.create()
            try await ending(plant.runner("a", faults: gated(gate))) {
                try await eventually { gate.arrivals == 1 }
            } after: {
                try await eventually("the grace is over") {
                    plant.clock.advance(by: .seconds(1))
                    return try await plant.row(id).status == .ready
                }
            }
            #expect(try await plant.row(id).step == "boot")
            #expect(plant.host.calls("ensureMachine") == 0)
            try await plant.settle(try plant.runner("b"))
            #expect(try await plant.row(id).step == "until-running")
        }
    }
}
