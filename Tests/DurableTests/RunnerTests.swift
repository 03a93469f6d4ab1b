import CloudCore
@testable import Durable
import SQL
import TestSupport
import Testing

/// Tests of the runner's own loop, which only commits and the clock wake. No test sleeps on a real clock.
@Suite struct RunnerTests {
    @Test("A commit starts work at once, a signal ends a wait, and the clock ends a delay", arguments: DatabaseKind.allCases)
    func nudged(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            try await plant.running([plant.runner("a")]) {
                // The loop has found nothing to do. Only the nudge can wake it, since the clock stands still.
                try await eventually { !plant.clock.alarms.isEmpty }
                let id = try await plant.create()
                try await eventually("it waits") { try await plant.row(id).status == .waiting }
                try await plant.answer()
                try await eventually("it settles") { try await plant.row(id).step == "settle" }
                try await eventually { try await plant.row(id).status == .waiting }
                plant.clock.advance(by: .seconds(5))
                try await eventually("it is done") { try await plant.row(id).status == .succeeded }
            }
        }
    }

    @Test("The timer finds work that no nudge announced", arguments: DatabaseKind.allCases)
    func polled(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            // The workflows of another process, whose bell does not ring in this one.
            let elsewhere = try Plant(plant.database, clock: plant.clock)
            try await plant.running([plant.runner("a")]) {
                try await eventually { !plant.clock.alarms.isEmpty }
                let id = try await elsewhere.create()
                try await eventually("the timer is set") {
                    plant.clock.advance(by: .seconds(5))
                    return try await plant.row(id).status == .waiting
                }
            }
        }
    }

    @Test("A runner runs at most as many workflows at once as its width, and starts the next as soon as one ends")
    func width() async throws {
        try await Plant.with(.sqlite) { plant in
            let gate = Gate()
            var settings = RunnerSettings()
            settings.width = 2
            let runner = try plant.runner("a", settings: settings, faults: gated(gate, "ensure-disk", .body))
            try await plant.running([runner]) {
                for number in 1...5 { _ = try await plant.create("machine-\(number)") }
                try await eventually { gate.arrivals == 2 }
                let running = try await plant.database.read { tx in try plant.workflows.list(.running, in: tx).count }
                #expect(running == 2)
                try await eventually("all five pass") {
                    gate.open()
                    return try await plant.database.read { tx in try plant.workflows.list(.waiting, in: tx).count } == 5
                }
                #expect(gate.arrivals == 5)
            }
        }
    }

    @Test("A process that ends hands back its workflows at once, and another one continues them", arguments: DatabaseKind.allCases)
    func quiesce(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let gate = Gate()
            let id = try await plant.create()
            try await plant.running([plant.runner("a", faults: gated(gate, "ensure-disk", .body))]) {
                try await eventually { gate.arrivals == 1 }
            }
            let row = try await plant.row(id)
            #expect(row.status == .ready)
            #expect(row.owner == nil)
            #expect(row.step == "ensure-disk")
            #expect(row.interrupted == 0)
            // No lease has to expire: the clock has not moved.
            try await plant.settle(try plant.runner("b"))
            #expect(try await plant.row(id).step == "until-running")
        }
    }

    @Test("A process that is alone continues its predecessor's workflows without waiting for leases")
    func alone() async throws {
        try await Plant.with(.sqlite) { plant in
            let id = try await plant.create()
            await #expect(throws: SimulatedCrash.self) {
                try await plant.settle(try plant.runner("a", faults: .always(.crash, at: .init("boot", .forward, .body))))
            }
            #expect(try await plant.row(id).status == .running)
            var settings = RunnerSettings()
            settings.isAlone = true
            try await plant.running([plant.runner("b", settings: settings)]) {
                try await eventually { try await plant.row(id).status == .waiting }
            }
        }
    }

    @Test("Two runners share the work and no step runs twice", arguments: DatabaseKind.allCases)
    func twoRunners(_ kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [.durable, MachineStore.schema]) { test in
            let plant = try Plant(test.database)
            // On PostgreSQL, the second runner has its own connections, as another process does.
            let other = kind == .postgreSQL ? try test.reopen() : test.database
            var ids: [WorkflowID] = []
            for number in 1...12 { ids.append(try await plant.create("machine-\(number)")) }
            let all = ids
            try await plant.running([plant.runner("a"), plant.runner("b", on: other)]) {
                try await eventually("all wait") {
                    try await plant.database.read { tx in try plant.workflows.list(.waiting, in: tx).count } == 12
                }
            }
            #expect(plant.host.calls("ensureDisk") == 12)
            #expect(plant.host.calls("ensureMachine") == 12)
            for id in all {
                let done = try await plant.events(id).filter { $0.kind == .succeeded }.map(\.step)
                #expect(done == ["claim", "ensure-disk", "boot"])
            }
        }
    }

    @Test(
        "The lease of a running step is renewed, so no other runner takes the workflow",
        arguments: DatabaseKind.allCases)
    func renewed(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let gate = Gate()
            let id = try await plant.create()
            try await plant.running([plant.runner("a", faults: gated(gate, "boot", .body))]) {
                try await eventually { gate.arrivals == 1 }
                let other = try plant.runner("b")
                let epoch = try await plant.row(id).epoch
                for _ in 1...4 {
                    let before = try await plant.row(id).leaseUntil
                    let end = try #require(before)
                    try await eventually("the lease grows") {
                        // The clock moves to the time of the renewal and no further, however slow this machine is:
                        // neither the end of the lease nor the step's deadline may be reached.
                        if plant.clock.now < end - .seconds(18) { plant.clock.advance(by: .seconds(2)) }
                        return try await plant.row(id).leaseUntil != before
                    }
                    #expect(try await other.runDue() == false)
                }
                gate.open()
                try await eventually { try await plant.row(id).status == .waiting }
                #expect(try await plant.row(id).epoch == epoch)
            }
        }
    }

    @Test(
        "An owner that cannot renew its lease stops its step at the end of the lease and writes nothing",
        arguments: DatabaseKind.allCases)
    func lost(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let gate = Gate()
            let id = try await plant.create()
            let faults = FaultPlan { place in
                guard place.step == "boot" else { return nil }
                if place.moment == .body { return .meanwhile { try await gate.pass() } }
                return place.moment == .renewal ? .databaseAway(isCommitted: false) : nil
            }
            let cutOff = try plant.runner("a", faults: faults)
            let hasEnded = Box(false)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await cutOff.runDue()
                    hasEnded.value = true
                }
                try await eventually { gate.arrivals == 1 }
                // Each failed renewal is retried a second later. The end of the lease cancels the body.
                try await eventually("it gives up") {
                    plant.clock.advance(by: .seconds(1))
                    return hasEnded.value
                }
                try await group.waitForAll()
            }
            #expect(try await plant.row(id).step == "boot")
            try await plant.settle(try plant.runner("b"))
            #expect(try await plant.row(id).step == "until-running")
            #expect(plant.host.calls("ensureMachine") == 1)
            let writers = try await plant.events(id).filter { $0.step == "boot" }.map(\.epoch)
            let first = try #require(writers.first)
            #expect(writers == [first, first + 1, first + 1])
        }
    }

    @Test("A step that does not end by its deadline is cancelled and retried")
    func deadline() async throws {
        try await Plant.with(.sqlite) { plant in
            let gate = Gate()
            let id = try await plant.create()
            let faults = FaultPlan { place in
                guard place == .init("boot", .forward, .body), gate.arrivals == 0 else { return nil }
                return .meanwhile { try await gate.pass() }
            }
            try await plant.running([plant.runner("a", faults: faults)]) {
                try await eventually { gate.arrivals == 1 }
                let end = plant.clock.now + .seconds(120)
                try await eventually("the deadline is watched") { plant.clock.alarms.contains(end) }
                // The clock never passes the end of the lease, which is renewed meanwhile: another runner could take
                // the step.
                while plant.clock.now < end {
                    let next = min(end, plant.clock.now + .seconds(10))
                    plant.clock.set(next)
                    try await eventually("the lease is renewed, or the deadline reached") {
                        let row = try await plant.row(id)
                        return next == end || row.leaseUntil.map { $0 > next + .seconds(20) } ?? true
                    }
                }
                try await eventually("it is tried again") {
                    plant.clock.advance(by: .milliseconds(100))
                    return try await plant.row(id).status == .waiting
                }
                let retried = try #require(try await plant.events(id).first { $0.kind == .retried })
                #expect(retried.step == "boot")
                #expect(retried.data?.contains("timeout") == true)
            }
        }
    }

    @Test(
        "A cancel reaches a running step at once, before the next renewal of its lease",
        arguments: DatabaseKind.allCases)
    func cancelInside(_ kind: DatabaseKind) async throws {
        try await Plant.with(kind) { plant in
            let id = try await plant.create()
            let gate = Gate()
            // The step `boot` checks for a cancel when the gate is open.
            let faults = FaultPlan { place in
                place == .init("boot", .forward, .body) ? .meanwhile { try await gate.pass() } : nil
            }
            try await plant.running([plant.runner("a", faults: faults)]) {
                try await eventually { gate.arrivals == 1 }
                let before = try await plant.row(id).updatedAt
                plant.clock.advance(by: .seconds(1))
                try await plant.database.write { tx in try plant.workflows.requestCancel(id, in: tx) }
                // The nudge makes the owner look at once, long before the next renewal.
                try await eventually("the owner has looked") {
                    let row = try await plant.row(id)
                    return row.updatedAt > before && row.leaseUntil == plant.clock.now + .seconds(30)
                }
                gate.open()
                try await eventually { try await plant.row(id).status == .unwound }
                #expect(plant.host.calls("ensureMachine") == 0)
                #expect(try await plant.row(id).failure?.isCancellation == true)
            }
        }
    }

    @Test("A runner waits for a database that is away for long, and then no step is skipped or repeated")
    func away() async throws {
        try await Plant.with(.sqlite) { plant in
            let id = try await plant.create()
            let left = Box(4)
            let faults = FaultPlan { place in
                guard place == .init("boot", .forward, .outcomeRecord), left.value > 0 else { return nil }
                left.update { $0 -= 1 }
                return .databaseAway(isCommitted: false)
            }
            try await plant.running([plant.runner("a", faults: faults)]) {
                try await eventually {
                    plant.clock.advance(by: .milliseconds(500))
                    return try await plant.row(id).status == .waiting
                }
            }
            #expect(left.value == 0)
            #expect(plant.host.calls("ensureMachine") == 1)
        }
    }

    @Test("A step that always kills its process makes its workflow stuck")
    func killer() async throws {
        try await Plant.with(.sqlite) { plant in
            let id = try await plant.create()
            let faults = FaultPlan { $0 == .init("boot", .forward, .body) ? .crash : nil }
            for _ in 0..<30 {
                do { try await plant.settle(try plant.runner("a", faults: faults)) } catch is SimulatedCrash {}
                plant.clock.advance(by: .seconds(31))
            }
            let row = try await plant.row(id)
            #expect(row.status == .stuck)
            #expect(row.reason?.contains("boot") == true)
        }
    }

    private func gated(_ gate: Gate, _ step: String, _ moment: FaultPlan.Moment) -> FaultPlan {
        FaultPlan { $0 == .init(step, .forward, moment) ? .meanwhile { try await gate.pass() } : nil }
    }
}

extension FaultPlan {
    /// Returns a plan with one fault at one place, every time.
    fileprivate static func always(_ fault: Fault, at place: Place) -> FaultPlan { FaultPlan { $0 == place ? fault : nil } }
}
