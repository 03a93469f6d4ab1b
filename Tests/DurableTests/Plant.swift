import CloudCore
@testable import Durable
import Logging
import SQL
import Telemetry
import TestSupport

/// A service of machines with its engine, on one database and one manual clock.
struct Plant: Sendable {
    let database: Database
    let clock: ManualClock
    let world: World
    let host = FakeHost()
    let workflows: Workflows
    let machineID = ID<Machine>("machine-1")
    var resource: ResourceKey { .machine(machineID) }

    init(_ database: Database, clock: ManualClock = ManualClock(), spans: SpanFile? = nil) throws {
        self.database = database
        self.clock = clock
        world = .test(clock: clock)
        let types: [any Workflow.Type] = [CreateMachine.self, DeleteMachine.self, CopyMachine.self]
        workflows = try Workflows(types, world: world, spans: spans)
    }

    static func with(
        _ kind: DatabaseKind, clock: ManualClock = ManualClock(), spans: SpanFile? = nil,
        _ body: @Sendable (Plant) async throws -> Void
    ) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [.durable, MachineStore.schema]) { test in
            try await body(try Plant(test.database, clock: clock, spans: spans))
        }
    }

    /// Returns a runner, as another process would have one, on the same rows and host.
    func runner(
        _ name: String, on other: Database? = nil, settings: RunnerSettings = RunnerSettings(), faults: FaultPlan = .none,
        definitions: [WorkflowDefinition]? = nil
    ) throws -> Runner {
        let needs = MachineNeeds(host: host)
        let known = [
            WorkflowDefinition(CreateMachine.self, needs: needs), WorkflowDefinition(DeleteMachine.self, needs: needs),
            WorkflowDefinition(CopyMachine.self, needs: needs),
        ]
        return try Runner(
            name: name, database: other ?? database, workflows: workflows, definitions: definitions ?? known, sleeper: clock,
            settings: settings, faults: faults, log: Logger(label: name) { _ in SwiftLogNoOpLogHandler() })
    }

    func create(_ id: String = "machine-1", as principal: Principal? = nil, requestID: String? = nil) async throws -> WorkflowID {
        try await database.write { tx in
            try MachineStore().insert(ID(id), in: tx)
            let input = CreateMachine.Input(machineID: ID(id), size: 4, name: "www-\(id)")
            return try workflows.start(
                CreateMachine.self, input, on: .machine(ID(id)), as: principal, options: .init(requestID: requestID), in: tx)
        }
    }

    func delete() async throws -> WorkflowID {
        try await database.write { tx in
            let input = DeleteMachine.Input(machineID: machineID, diskID: "disk", name: "www-machine-1")
            return try workflows.start(
                DeleteMachine.self, input, on: resource, as: nil, options: .init(whenBusy: .supersede), in: tx)
        }
    }

    /// Starts a copy, whose name is published together with the start.
    func copy(_ whenBusy: Workflows.StartOptions.WhenBusy = .refuse) async throws -> WorkflowID {
        try host.publish("copy", machineID.text, epoch: 0)
        return try await database.write { tx in
            let input = CopyMachine.Input(machineID: machineID, name: "copy")
            return try workflows.start(CopyMachine.self, input, on: resource, as: nil, options: .init(whenBusy: whenBusy), in: tx)
        }
    }

    func answer(_ id: String = "machine-1") async throws {
        try await database.write { tx in
            let report = CreateMachine.Running(generation: 1, address: "10.0.0.1")
            _ = try workflows.signal("running", payload: report, to: .machine(ID(id)), in: tx)
        }
    }

    func row(_ id: WorkflowID) async throws -> WorkflowRecord {
        let row = try await database.read { tx in try workflows.find(id, in: tx) }
        guard let row else { throw CloudError.notFound("workflow", id.text) }
        return row
    }

    func events(_ id: WorkflowID) async throws -> [WorkflowEvent] {
        try await database.read { tx in try workflows.events(of: id, in: tx) }
    }

    /// Runs everything that is due now.
    func settle(_ runner: Runner) async throws { while try await runner.runDue() {} }

    /// Runs the loops of the runners while `body` runs, then ends them as a process is ended.
    func running(_ runners: [Runner], _ body: @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for runner in runners { group.addTask { try await runner.run() } }
            try await body()
            group.cancelAll()
            try await group.waitForAll()
        }
    }
}

/// A gate at which the body of a step waits until a test opens it. A cancel lets it through.
final class Gate: Sendable {
    private let nudge = Nudge()
    private let reached = Box(0)

    var arrivals: Int { reached.value }

    func pass() async throws {
        reached.update { $0 += 1 }
        await nudge.wait()
        try Task.checkCancellation()
    }

    func open() { nudge.nudge() }
}
