import CloudCore
@testable import Durable
import Logging
import SQL
import TestSupport
import Testing

@Suite struct DeclarationTests {
    private struct Nothing: WorkflowState {}

    private struct Wrong: Workflow {
        typealias Input = Nothing
        typealias State = Nothing
        typealias Needs = Void
        static let kind: WorkflowKind = "test.wrong"
        static var steps: Steps<Self> {
            Local("one") { _, _, _ in }
            Local("one") { _, _, _ in } undo: { _, _, _ in }
            PointOfNoReturn()
            Remote("three") { _, _ in } undo: { _, _ in }
        }
    }

    private struct Idle: Workflow {
        typealias Input = Nothing
        typealias State = Nothing
        typealias Needs = Void
        static let kind: WorkflowKind = "test.idle"
        static var steps: Steps<Self> { WhenUndone("one") { _, _, _ in } }
    }

    @Test("A workflow of undo-only steps is refused")
    func idle() {
        #expect(Outline(Idle.self).problems == ["has no steps", "has an undo for 'one', after which nothing is undone"])
    }

    @Test("A workflow declaration that cannot work is refused with all its problems")
    func problems() {
        #expect(
            Outline(Wrong.self).problems == [
                "has two steps named 'one'", "has an undo for 'three', which is past the point of no return",
                "has an undo for 'one', after which nothing is undone",
            ])
        #expect(throws: WorkflowDeclarationError.self) { try Workflows([Wrong.self], world: .test()) }
        #expect(throws: WorkflowDeclarationError.self) {
            try Workflows([DeleteMachine.self, DeleteMachine.self], world: .test())
        }
    }

    @Test("A runner refuses definitions that do not match the list of workflows")
    func lists() async throws {
        try await TestDatabase.withDatabase(.sqlite) { test in
            let clock = ManualClock()
            let workflows = try Workflows([CreateMachine.self, DeleteMachine.self], world: .test(clock: clock))
            #expect(throws: WorkflowDeclarationError.self) {
                try Runner(
                    name: "r", database: test.database, workflows: workflows,
                    definitions: [WorkflowDefinition(CreateMachine.self, needs: MachineNeeds(host: FakeHost()))],
                    sleeper: clock, log: Logger(label: "test"))
            }
        }
    }

    @Test("The outline of a workflow has its steps and the shapes of its input and its state")
    func outline() throws {
        let create = try StoredOutline(workflow: CreateMachine.self, ShapeReader([]))
        #expect(create.name == "workflow.sample.machine.create.1")
        #expect(
            create.json == [
                "input": ["machineID": "text", "size": "integer", "name": "text"],
                "state": ["diskID?": "text", "generation": "integer", "address?": "text"],
                "steps": [
                    "local:claim", "remote:ensure-disk", "remote:boot", "wait:until-running for running", "|", "remote:publish", "wait:settle",
                    "local:finish",
                ],
            ])
        let delete = try StoredOutline(workflow: DeleteMachine.self, ShapeReader([]))
        #expect(delete.steps == ["|", "remote:withdraw", "wait:until-drained for drained", "remote:remove", "local:forget"])
        #expect(delete.shapes["state"] == .object([:]))
    }
}
