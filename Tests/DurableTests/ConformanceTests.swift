import Durable
import SQL
import TestSupport
import Testing

@Suite struct ConformanceTests {
    static let workflows: [any Workflow.Type] = [CreateMachine.self, DeleteMachine.self, CopyMachine.self]
    static let fixtures = [CreateMachineStage.fixture, DeleteMachineStage.fixture, CopyMachineStage.fixture]

    @Test("Every workflow has a fixture")
    func everyWorkflowHasAFixture() {
        #expect(WorkflowFixture.missing(for: Self.workflows, in: Self.fixtures).isEmpty)
        let missing = WorkflowFixture.missing(for: Self.workflows, in: [CreateMachineStage.fixture, CopyMachineStage.fixture])
        #expect(missing == ["sample.machine.delete version 1"])
    }

    @Test("Every workflow completes or is undone whatever disturbs it", arguments: fixtures, DatabaseKind.allCases)
    func conforms(_ fixture: WorkflowFixture, on kind: DatabaseKind) async throws {
        let trials = try await fixture.conforms(on: kind)
        #expect(trials > 50)
    }

    @Test("A step and its undo fail if a value that an earlier step noted is missing")
    func complains() async throws {
        #expect(try await CopyMachineStage.fixture.complainsOfWhatIsMissing(on: .sqlite) == 2)
    }
}
