import CloudCore
@testable import Durable
import SQL
import TestSupport
import Testing

@Suite struct VersionTests {
    private func change(_ plant: Plant, _ sql: String) async throws {
        try await plant.database.write { tx in _ = try tx.execute(sql) }
    }

    @Test(
        "A workflow of an unknown version or list of steps is left to others, then blocked until a binary knows it",
        arguments: ["version = 2", "fingerprint = 'local:other'"], DatabaseKind.allCases)
    func unknown(_ what: String, _ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let id = try await plant.create()
            try await change(plant, "UPDATE workflow SET \(what)")
            let runner = try plant.runner("a")
            #expect(try await runner.runDue() == false)
            plant.clock.advance(by: .seconds(61))
            #expect(try await runner.runDue())
            let row = try await plant.row(id)
            #expect(row.status == .blocked)
            #expect(row.reason?.contains("sample.machine.create") == true)
            #expect(plant.host.contents.isEmpty)
            try await runner.claims.unblock()
            #expect(try await plant.row(id).status == .blocked)
            let outline = Outline(CreateMachine.self)
            try await change(plant, "UPDATE workflow SET version = 1, fingerprint = '\(outline.fingerprint)'")
            try await runner.claims.unblock()
            #expect(try await plant.row(id).status == .ready)
            #expect(try await plant.row(id).reason == nil)
            try await plant.settle(runner)
            #expect(try await plant.row(id).step == "until-running")
        }
    }

    @Test("A state that cannot be read blocks the workflow, and nothing is undone", arguments: DatabaseKind.allCases)
    func unreadable(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let id = try await plant.create()
            try await change(plant, "UPDATE workflow SET state = '{\"generation\":\"one\"}'")
            let runner = try plant.runner("a")
            try await plant.settle(runner)
            let row = try await plant.row(id)
            #expect(row.status == .blocked)
            #expect(row.direction == .forward)
            try await runner.claims.unblock()
            #expect(try await plant.row(id).status == .blocked)
        }
    }
}
