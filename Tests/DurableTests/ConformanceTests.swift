import Durable
import SQL
import TestSupport
import Testing

@Suite struct ConformanceTests {
    static let workflows: [any Workflow.Type] = [CreateMachine.self, DeleteMachine.self]
    static let fixtures = [CreateMachineStage.fixture, DeleteMachineStage.fixture]

    @Test("Every workflow has a fixture")
    func everyWorkflowHasAFixture() {
        #expect(WorkflowFixture.missing(for: Self.workflows, in: Self.fixtures).isEmpty)
        #expect(WorkflowFixture.missing(for: Self.workflows, in: [CreateMachineStage.fixture]) == ["sample.machine.delete version 1"])
    }

    @Test("Every workflow survives every disturbance", arguments: WorkflowConformance.cases(of: fixtures), DatabaseKind.allCases)
    func conforms(_ one: WorkflowConformance, on kind: DatabaseKind) async throws { try await one.run(on: kind) }
}
