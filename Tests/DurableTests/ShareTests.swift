import CloudCore
@testable import Durable
import Logging
import SQL
import TestSupport
import Testing

/// A workflow that waits at a gate. At most two of its kind run at once.
private struct Slow: Workflow {
    struct Input: Codable, Sendable {}
    struct State: WorkflowState {}
    typealias Needs = Gate
    static let kind: WorkflowKind = "sample.slow"
    static let mostAtOnce: Int? = 2
    static func start(_: Input) -> State { State() }
    static var steps: Steps<Self> {
        Remote("wait", deadline: .seconds(100_000)) { _, run in try await run.needs.pass() }
    }
}

/// A workflow that waits at a gate. Any number of its kind may run at once.
private struct Quick: Workflow {
    struct Input: Codable, Sendable {}
    struct State: WorkflowState {}
    typealias Needs = Gate
    static let kind: WorkflowKind = "sample.quick"
    static func start(_: Input) -> State { State() }
    static var steps: Steps<Self> {
        Remote("wait", deadline: .seconds(100_000)) { _, run in try await run.needs.pass() }
    }
}

/// Tests of the ways in which a runner shares its places among kinds of work and among projects.
@Suite struct ShareTests {
    private struct Place: Sendable {
        let database: Database
        let workflows: Workflows
        let runner: Runner
        let slow = Gate()
        let quick = Gate()

        init(_ database: Database, width: Int, projectShare: Int) throws {
            self.database = database
            let clock = ManualClock()
            workflows = try Workflows([Slow.self, Quick.self], world: .test(clock: clock))
            var settings = RunnerSettings()
            (settings.width, settings.projectShare) = (width, projectShare)
            runner = try Runner(
                name: "a", database: database, workflows: workflows,
                definitions: [WorkflowDefinition(Slow.self, needs: slow), WorkflowDefinition(Quick.self, needs: quick)],
                sleeper: clock, settings: settings, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        func start(slow count: Int = 0, quick more: Int = 0, for project: String) async throws {
            let principal = Principal(
                userID: ID("u"), userName: "ada", userDomain: .init(id: "default", name: "Default"),
                scope: .project(id: ID(project), name: project, domain: .init(id: "default", name: "Default")), roles: [],
                expiresAt: workflows.world.now)
            try await database.write { tx in
                for _ in 0..<count {
                    try workflows.start(Slow.self, .init(), on: .init(workflows.world.random.uuid()), as: principal, in: tx)
                }
                for _ in 0..<more {
                    try workflows.start(Quick.self, .init(), on: .init(workflows.world.random.uuid()), as: principal, in: tx)
                }
            }
        }

        func running(_ body: @Sendable () async throws -> Void) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await runner.run() }
                try await body()
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }

    private func with(width: Int, share: Int, _ body: @Sendable (Place) async throws -> Void) async throws {
        try await TestDatabase.withDatabase(.sqlite, schemas: [.durable]) { test in
            try await body(try Place(test.database, width: width, projectShare: share))
        }
    }

    @Test("Slow work of one kind leaves places for other kinds, however much of it waits")
    func kinds() async throws {
        try await with(width: 8, share: 8) { place in
            try await place.start(slow: 300, for: "p")
            try await place.running {
                try await eventually { place.slow.arrivals == 2 }
                try await place.start(quick: 1, for: "p")
                try await eventually("the other kind begins") { place.quick.arrivals == 1 }
                #expect(place.slow.arrivals == 2)
                place.slow.open()
                try await eventually("the next one begins as soon as one ends") { place.slow.arrivals > 2 }
            }
        }
    }

    @Test("A project takes at most its share of a runner's places, even if no other project has work")
    func projects() async throws {
        try await with(width: 4, share: 3) { place in
            try await place.start(quick: 300, for: "greedy")
            try await place.running {
                try await eventually { place.quick.arrivals == 3 }
                try await place.start(slow: 1, for: "modest")
                try await eventually("the modest one begins") { place.slow.arrivals == 1 }
                #expect(place.quick.arrivals == 3)
            }
        }
    }

    @Test("Free places go to the project that has the fewest")
    func fair() throws {
        let needs = Gate()
        let catalog = try WorkflowCatalog([WorkflowDefinition(Quick.self, needs: needs), WorkflowDefinition(Slow.self, needs: needs)])
        func candidate(_ number: Int, _ project: String?, _ kind: WorkflowKind = Quick.kind) -> LeaseStore.Candidate {
            .init(
                id: WorkflowID("\(number)"), key: .init(kind: kind, version: 1), fingerprint: "", dueSince: Timestamp(seconds: 0),
                projectID: project.map { ID($0) })
        }
        let due = [candidate(1, "a"), candidate(2, "a"), candidate(3, "a"), candidate(4, "b"), candidate(5, nil)]
        var load = RunnerLoad()
        func chosen(_ most: Int, share: Int = 9) -> [String] {
            load.choice(of: most, among: due, catalog, projectShare: share).map(\.id.text)
        }
        #expect(chosen(3) == ["1", "4", "5"])
        #expect(Set(chosen(9)) == ["1", "2", "3", "4", "5"])
        #expect(Set(chosen(9, share: 1)) == ["1", "4", "5"])
        load.add(2, Quick.kind, ID("b"))
        #expect(chosen(2) == ["5", "1"] || chosen(2) == ["1", "5"])
        let slow = (1...5).map { candidate($0, "a", Slow.kind) }
        #expect(RunnerLoad().choice(of: 9, among: slow, catalog, projectShare: 9).count == 2)
    }
}
