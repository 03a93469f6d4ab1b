import CloudCore
@testable import Durable
import SQL
import TestSupport
import Testing

@Suite struct FrontTests {
    @Test("A second action on a busy resource is refused with a conflict", arguments: DatabaseKind.allCases)
    func oneActive(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            _ = try await plant.create()
            let error = try await #require(throws: CloudError.self) {
                try await plant.database.write { tx in
                    let input = CreateMachine.Input(machineID: plant.machineID, size: 1, name: "x")
                    try plant.workflows.start(CreateMachine.self, input, on: plant.resource, as: nil, in: tx)
                }
            }
            #expect(error.kind == .conflict)
            #expect(!error.message.contains("sample.machine"))
        }
    }

    @Test("No workflow starts if its caller's transaction fails", arguments: DatabaseKind.allCases)
    func rolledBack(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            await #expect(throws: CloudError.self) {
                try await plant.database.write { tx in
                    let input = CreateMachine.Input(machineID: plant.machineID, size: 1, name: "x")
                    try plant.workflows.start(CreateMachine.self, input, on: plant.resource, as: nil, in: tx)
                    throw CloudError.forbidden("No.")
                }
            }
            let found = try await plant.runner("a").runDue()
            #expect(!found)
        }
    }

    @Test("The API sees the running step's text, the progress, the actions and their events", arguments: DatabaseKind.allCases)
    func queries(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let principal = Principal(
                userID: ID("u"), userName: "ada", userDomain: .init(id: "default", name: "Default"),
                scope: .project(id: ID("p"), name: "p", domain: .init(id: "default", name: "Default")), roles: [],
                expiresAt: plant.clock.now)
            let id = try await plant.create(as: principal, requestID: "req-1")
            _ = try await plant.create("machine-2")
            try await plant.settle(try plant.runner("a"))
            let resources = [plant.resource, .machine(ID("machine-2")), .machine(ID("machine-3"))]
            let lines = try await plant.database.read { tx in try plant.workflows.lines(on: resources, in: tx) }
            #expect(lines.count == 2)
            let activity = try #require(lines[plant.resource]?.active)
            #expect(activity.shows == "spawning")
            #expect(activity.status == .waiting)
            #expect(activity.progress == 42)
            let action = try #require(
                try await plant.database.read { tx in try plant.workflows.actions(on: plant.resource, in: tx) }.first)
            #expect(action.id == id)
            #expect(action.requestID == "req-1")
            #expect(action.projectID == ID("p"))
            let events = try await plant.events(id)
            #expect(events.map(\.sequence) == (1...Int64(events.count)).map(\.self))
            #expect(events.contains { $0.kind == .note && $0.data?.hasPrefix("The disk is") == true })
            try await plant.answer()
            try await plant.settle(try plant.runner("a"))
            plant.clock.advance(by: .seconds(6))
            try await plant.settle(try plant.runner("a"))
            #expect(try await plant.row(id).status == .succeeded)
            let rest = try await plant.database.read { tx in try plant.workflows.activity(on: plant.resource, in: tx) }
            #expect(rest == nil)
            let census = try await plant.database.read { tx in try plant.workflows.census(in: tx) }
            #expect(census.map(\.status) == ["waiting"])
        }
    }

    @Test("A delete cancels the running workflow and begins when it has ended; a second delete returns the first", arguments: DatabaseKind.allCases)
    func supersedeRunning(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let create = try await plant.create()
            try await plant.settle(try plant.runner("a"))
            let delete = try await plant.delete()
            #expect(try await plant.delete() == delete)
            #expect(try await plant.row(delete).status == .queued)
            #expect(try await plant.row(create).cancelRequested)
            try await plant.settle(try plant.runner("a"))
            #expect(try await plant.row(create).status == .unwound)
            #expect(try await plant.row(delete).status == .waiting)
            #expect(try await plant.delete() == delete)
            plant.clock.advance(by: .seconds(61))
            try await plant.settle(try plant.runner("a"))
            #expect(try await plant.row(delete).status == .succeeded)
            #expect(plant.host.contents.isEmpty)
        }
    }

    /// Returns a runner on which every call of the step `boot` fails, also its undo.
    private func clumsy(_ plant: Plant) throws -> Runner {
        try plant.runner(
            "clumsy",
            faults: FaultPlan { place in
                guard place.moment == .body, place.step == "boot" else { return nil }
                return .fail(.badRequest("The host says no."))
            })
    }

    private func makeStuck(_ plant: Plant, _ id: WorkflowID) async throws {
        let runner = try clumsy(plant)
        for _ in 0..<20 where try await plant.row(id).status != .stuck {
            try await plant.settle(runner)
            plant.clock.advance(by: .seconds(301))
        }
        #expect(try await plant.row(id).status == .stuck)
    }

    @Test("A workflow whose undo keeps failing is stuck: it is listed with a reason and keeps its resource", arguments: DatabaseKind.allCases)
    func stuck(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let id = try await plant.create()
            try await makeStuck(plant, id)
            let row = try await plant.row(id)
            #expect(row.reason?.contains("The host says no.") == true)
            #expect(row.failure?.step == "boot")
            let listed = try await plant.database.read { tx in try plant.workflows.list(.stuck, in: tx) }
            #expect(listed.map(\.id) == [id])
            await #expect(throws: CloudError.self) {
                try await plant.database.write { tx in
                    let input = CreateMachine.Input(machineID: plant.machineID, size: 1, name: "x")
                    try plant.workflows.start(CreateMachine.self, input, on: plant.resource, as: nil, in: tx)
                }
            }
            // After the host is repaired, the operator retries the workflow.
            try await plant.database.write { tx in try plant.workflows.retry(id, by: "eve", in: tx) }
            try await plant.settle(try plant.runner("a"))
            #expect(try await plant.row(id).status == .unwound)
            #expect(plant.host.contents.isEmpty)
        }
    }

    @Test("A delete replaces a stuck workflow", arguments: DatabaseKind.allCases)
    func supersedeStuck(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let id = try await plant.create()
            try await makeStuck(plant, id)
            let delete = try await plant.delete()
            #expect(try await plant.row(id).status == .abandoned)
            #expect(try await plant.row(id).reason?.hasPrefix("superseded.") == true)
            #expect(try await plant.row(delete).status == .ready)
        }
    }

    @Test(
        "A workflow that becomes stuck while a delete waits is abandoned for the delete",
        arguments: DatabaseKind.allCases)
    func stuckBeforeDelete(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let id = try await plant.create()
            try await plant.settle(try plant.runner("a"))
            let delete = try await plant.delete()
            let runner = try clumsy(plant)
            for _ in 0..<20 where try await plant.row(id).finishedAt == nil {
                try await plant.settle(runner)
                plant.clock.advance(by: .seconds(301))
            }
            #expect(try await plant.row(id).status == .abandoned)
            plant.clock.advance(by: .seconds(61))
            try await plant.settle(try plant.runner("a"))
            plant.clock.advance(by: .seconds(61))
            try await plant.settle(try plant.runner("a"))
            #expect(try await plant.row(delete).status == .succeeded)
        }
    }

    @Test("Abandoning needs a reason and an author, and stops an owner that still runs", arguments: DatabaseKind.allCases)
    func abandon(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let id = try await plant.create()
            await #expect(throws: CloudError.self) {
                try await plant.database.write { tx in try plant.workflows.abandon(id, reason: " ", by: "eve", in: tx) }
            }
            let runner = try plant.runner(
                "a",
                faults: FaultPlan { place in
                    guard place == .init("ensure-disk", .forward, .afterBody) else { return nil }
                    return .meanwhile {
                        try await plant.database.write { tx in
                            try plant.workflows.abandon(id, reason: "the host burned down", by: "eve", in: tx)
                        }
                    }
                })
            try await plant.settle(runner)
            let row = try await plant.row(id)
            #expect(row.status == .abandoned)
            #expect(row.reason == "the host burned down")
            #expect(row.abandonedBy == "eve")
            #expect(row.finishedAt != nil)
            #expect(row.step == "ensure-disk")
            #expect(try await plant.events(id).last?.data == "Abandoned by eve: the host burned down")
            await #expect(throws: CloudError.self) {
                try await plant.database.write { tx in try plant.workflows.abandon(id, reason: "again", by: "eve", in: tx) }
            }
        }
    }

    @Test("A signal to an idle resource is not taken", arguments: DatabaseKind.allCases)
    func lateSignal(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let taken = try await plant.database.write { tx in try plant.workflows.signal("running", to: plant.resource, in: tx) }
            #expect(!taken)
        }
    }
}
