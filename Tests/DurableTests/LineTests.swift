import CloudCore
@testable import Durable
import SQL
import TestSupport
import Testing

/// Workflows that wait their turn on a busy resource.
@Suite struct LineTests {
    /// Starts a delete that waits for its turn instead of superseding the running workflow.
    private func wait(_ plant: Plant, most: Int = 15) async throws -> WorkflowID {
        try await plant.database.write { tx in
            let input = DeleteMachine.Input(machineID: plant.machineID, diskID: "disk", name: "www-machine-1")
            return try plant.workflows.start(
                DeleteMachine.self, input, on: plant.resource, as: nil, options: .init(whenBusy: .wait(most: most)), in: tx)
        }
    }

    private func statuses(_ plant: Plant, _ ids: [WorkflowID]) async throws -> [WorkflowRecord.Status] {
        var found: [WorkflowRecord.Status] = []
        for id in ids { found.append(try await plant.row(id).status) }
        return found
    }

    private func settleAll(_ plant: Plant) async throws {
        for _ in 0..<10 {
            try await plant.settle(try plant.runner("a"))
            plant.clock.advance(by: .seconds(61))
        }
    }

    @Test("Waiting workflows begin one after the other, in the order of their start", arguments: DatabaseKind.allCases)
    func order(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let create = try await plant.create()
            try await plant.settle(try plant.runner("a"))
            let first = try await wait(plant)
            let second = try await wait(plant)
            #expect(try await statuses(plant, [create, first, second]) == [.waiting, .queued, .queued])
            try await plant.answer()
            try await plant.settle(try plant.runner("a"))
            plant.clock.advance(by: .seconds(6))
            try await plant.settle(try plant.runner("a"))
            #expect(try await statuses(plant, [create, first, second]) == [.succeeded, .waiting, .queued])
            try await settleAll(plant)
            #expect(try await statuses(plant, [first, second]) == [.succeeded, .succeeded])
            #expect(try await plant.row(first).epoch < plant.row(second).epoch)
        }
    }

    @Test("The number of waiting workflows is limited, and one alone begins at once", arguments: DatabaseKind.allCases)
    func bounded(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            _ = try await plant.create()
            _ = try await wait(plant, most: 2)
            _ = try await wait(plant, most: 2)
            let error = try await #require(throws: CloudError.self) { _ = try await wait(plant, most: 2) }
            #expect(error.kind == .conflict)
        }
        try await Plant.with(kind) { plant in
            let alone = try await wait(plant)
            #expect(try await plant.row(alone).status == .ready)
        }
    }

    @Test("A delete cancels waiting workflows, and further ones are refused", arguments: DatabaseKind.allCases)
    func superseded(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let create = try await plant.create()
            try await plant.settle(try plant.runner("a"))
            let waiting = try await wait(plant)
            let delete = try await plant.delete()
            let row = try await plant.row(waiting)
            #expect(row.status == .unwound)
            #expect(row.failure?.isCancellation == true)
            await #expect(throws: CloudError.self) { _ = try await wait(plant) }
            try await settleAll(plant)
            #expect(try await statuses(plant, [create, delete]) == [.unwound, .succeeded])
        }
    }

    @Test("A workflow that waits behind one that gets stuck is undone with a reason", arguments: DatabaseKind.allCases)
    func behindStuck(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let create = try await plant.create()
            let waiting = try await wait(plant)
            let runner = try plant.runner(
                "clumsy",
                faults: FaultPlan { place in
                    guard place.moment == .body, place.step == "boot" else { return nil }
                    return .fail(.badRequest("The host says no."))
                })
            for _ in 0..<20 where try await plant.row(create).status != .stuck {
                try await plant.settle(runner)
                plant.clock.advance(by: .seconds(301))
            }
            let row = try await plant.row(waiting)
            #expect(row.status == .unwound)
            #expect(row.failure?.message == "An earlier action on this resource came to a standstill.")
            await #expect(throws: CloudError.self) { _ = try await wait(plant) }
        }
    }

    @Test("A waiting delete replaces an undo that keeps failing, without waiting for its last try", arguments: DatabaseKind.allCases)
    func behindFailing(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let create = try await plant.create()
            try await plant.settle(try plant.runner("a"))
            let delete = try await plant.delete()
            let clumsy = try plant.runner(
                "clumsy",
                faults: FaultPlan { place in
                    guard place.moment == .body, place.direction == .undo else { return nil }
                    return .fail(.notFound("There is no such machine."))
                })
            for _ in 0..<3 {
                #expect(try await plant.row(delete).status == .queued)
                try await plant.settle(clumsy)
                plant.clock.advance(by: .seconds(5))
            }
            let row = try await plant.row(create)
            #expect(row.status == .abandoned)
            #expect(row.reason?.contains("failed 3 times") == true, "\(row.reason ?? "")")
            try await settleAll(plant)
            #expect(try await plant.row(delete).status == .succeeded)
        }
    }

    @Test(
        "A delete replaces a stuck or blocked workflow, and goes ahead of those that wait",
        arguments: [WorkflowRecord.Status.stuck, .blocked], DatabaseKind.allCases)
    func behindStandstill(_ status: WorkflowRecord.Status, _ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let create = try await plant.create()
            let copy = try await plant.copy(.wait(most: 15))
            let waiting = try await wait(plant)
            try await plant.database.write { tx in
                _ = try tx.execute("UPDATE workflow SET status = ?, reason = 'a test' WHERE id = ?", status.rawValue, create.text)
            }
            let delete = try await plant.delete()
            #expect(try await statuses(plant, [create, delete, waiting, copy]) == [.abandoned, .ready, .unwound, .queued])
            #expect(plant.host.contents == ["name copy of machine-1"])
            // The copy comes after the delete, only to be undone.
            try await settleAll(plant)
            #expect(try await statuses(plant, [delete, copy]) == [.succeeded, .unwound])
            #expect(plant.host.contents.isEmpty)
        }
    }

    @Test("A workflow that is cancelled before its first step undoes what was made with its start", arguments: DatabaseKind.allCases)
    func calledOff(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let create = try await plant.create()
            let copy = try await plant.copy(.wait(most: 15))
            let delete = try await plant.delete()
            #expect(try await statuses(plant, [create, copy, delete]) == [.ready, .queued, .queued])
            try await settleAll(plant)
            #expect(try await statuses(plant, [create, copy, delete]) == [.unwound, .unwound, .succeeded])
            #expect(plant.host.contents.isEmpty)
        }
    }

    @Test("A delete that release 0.1 left queued begins when the workflow that it cancelled has ended", arguments: DatabaseKind.allCases)
    func queuedByRelease(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            _ = try await plant.create()
            let delete = try await plant.delete()
            #expect(try await plant.row(delete).place == 0)
            let line = try await plant.database.read { tx in try plant.workflows.line(on: plant.resource, in: tx) }
            #expect(line?.shows == "deleting")
            try await settleAll(plant)
            #expect(try await plant.row(delete).status == .succeeded)
        }
    }

    // MARK: Waiting for an end

    private func awaitEnd(_ plant: Plant, _ id: WorkflowID, within patience: Duration = .seconds(60)) async throws -> WorkflowRecord {
        try await plant.workflows.awaitEnd(of: id, within: patience, in: plant.database, by: plant.clock)
    }

    @Test(
        "A caller that waits for a workflow is told of its end at once, without a timer",
        arguments: DatabaseKind.allCases)
    func heard(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let delete = try await wait(plant)
            async let ended = awaitEnd(plant, delete, within: .seconds(600))
            try await eventually { plant.workflows.bell.isAwaited }
            try await plant.settle(try plant.runner("a"))
            plant.clock.advance(by: .seconds(61))
            try await plant.settle(try plant.runner("a"))
            #expect(try await ended.status == .succeeded)
        }
    }

    @Test("A caller that waits for a workflow gets its error if it fails", arguments: DatabaseKind.allCases)
    func failed(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let create = try await plant.create()
            try await plant.settle(
                try plant.runner(
                    "a",
                    faults: FaultPlan { place in
                        guard place == .init("ensure-disk", .forward, .body) else { return nil }
                        return .fail(.notFound("There is no such disk."))
                    }))
            let error = try await #require(throws: CloudError.self) { _ = try await awaitEnd(plant, create) }
            #expect(error.kind == .notFound)
            #expect(error.message == "There is no such disk.")
        }
    }

    @Test("A workflow that outlasts its waiting caller is cancelled", arguments: DatabaseKind.allCases)
    func tooLong(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let create = try await plant.create()
            try await plant.settle(try plant.runner("a"))
            async let ended = Result<WorkflowRecord, any Error> { try await awaitEnd(plant, create) }
            try await eventually { !plant.clock.alarms.isEmpty }
            plant.clock.advance(by: .seconds(60))
            guard case .failure(let error as CloudError) = await ended else {
                Issue.record("it should have been called off")
                return
            }
            #expect(error.kind == .unavailable)
            try await plant.settle(try plant.runner("a"))
            #expect(try await plant.row(create).status == .unwound)
        }
    }
}

extension Result where Failure == any Error {
    /// Stores the outcome of an asynchronous call.
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
