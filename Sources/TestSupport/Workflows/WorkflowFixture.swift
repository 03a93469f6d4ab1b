package import CloudCore
package import Durable
package import SQL
import Testing

/// The facts that the conformance suite needs of a workflow: how a world for it is made, and what the workflow should
/// come to.
package struct WorkflowFixture: Sendable, CustomTestStringConvertible {
    package let workflow: any Workflow.Type
    package let outline: Outline
    /// Other workflows that this one starts, or that start it.
    let company: [any Workflow.Type]
    let schemas: [Schema]
    let makeStage: @Sendable (Database, World) async throws -> any WorkflowStage

    /// - Parameters:
    ///   - schemas: the schemas of the services whose tables the workflow uses; the engine's own is added.
    ///   - stage: makes a world in which the workflow can be started, with the rows that must exist before.
    package init<W: Workflow>(
        _ workflow: W.Type, with company: [any Workflow.Type] = [], schemas: [Schema],
        stage: @escaping @Sendable (Database, World) async throws -> any WorkflowStage
    ) {
        self.workflow = workflow
        outline = Outline(workflow)
        self.company = company
        self.schemas = schemas
        makeStage = stage
    }

    package var testDescription: String { outline.key.description }

    /// Returns the workflows of a list that have no fixture; a test expects none.
    package static func missing(for types: [any Workflow.Type], in fixtures: [WorkflowFixture]) -> [String] {
        let present = Set(fixtures.map(\.outline.key))
        return types.map { Outline($0).key }.filter { !present.contains($0) }.map(\.description).sorted()
    }
}

/// The world of one run: the rows of a service and a simulated outside. A crash of the control plane leaves it as it
/// is.
package protocol WorkflowStage: Sendable {
    /// Returns the code of the workflows over this world. It is called again after each crash, so nothing that it
    /// returns may be the memory of the control plane.
    func definitions() -> [WorkflowDefinition]

    /// Starts the workflow as the service would: its rows and the workflow in one transaction.
    func start(_ workflows: Workflows, in tx: Transaction) throws -> WorkflowID

    /// Returns the signals of the outside for a step. It is called when the workflow waits there.
    func signals(for step: String) -> [StagedSignal]

    /// Returns signals that the step must ignore, such as those of an older generation or of another machine.
    func staleSignals(for step: String) -> [StagedSignal]

    /// Returns everything that a run has brought about, in the rows and outside, as text without times. Runs with the
    /// same effects give the same text.
    func outcome(_ tx: Transaction) throws -> String

    /// Returns what an undone run has left behind, one line for each thing; empty if there is nothing.
    func leftovers(_ tx: Transaction) throws -> [String]
}

extension WorkflowStage {
    package func signals(for step: String) -> [StagedSignal] { [] }
    package func staleSignals(for step: String) -> [StagedSignal] { [] }
}

/// A signal as a stage sends it.
package struct StagedSignal: Sendable {
    let name: SignalName
    let payload: (any StoredValue)?
    let resource: ResourceKey

    package init(_ name: SignalName, payload: (any StoredValue)? = nil, to resource: ResourceKey) {
        self.name = name
        self.payload = payload
        self.resource = resource
    }
}
