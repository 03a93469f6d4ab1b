package import CloudCore
package import Durable
package import SQL
import Testing

/// What the conformance suite must know of a workflow: how a world for it is made, and what it should come to.
package struct WorkflowFixture: Sendable, CustomTestStringConvertible {
    package let workflow: any Workflow.Type
    package let outline: Outline
    /// Other workflows that this one starts or that start it.
    let company: [any Workflow.Type]
    let schemas: [Schema]
    let makeStage: @Sendable (Database, World) async throws -> any WorkflowStage

    /// - Parameters:
    ///   - schemas: of the services whose tables the workflow uses; the engine's own is added.
    ///   - stage: makes a world in which the workflow can be started, with the rows that have to be there before.
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

    /// The kinds of a list that have no fixture: a test expects it to be empty.
    package static func missing(for types: [any Workflow.Type], in fixtures: [WorkflowFixture]) -> [String] {
        let present = Set(fixtures.map(\.outline.key))
        return types.map { Outline($0).key }.filter { !present.contains($0) }.map(\.description).sorted()
    }
}

/// A world for one run: the rows of a service and a simulated outside. A crash of the control plane leaves it as it is.
package protocol WorkflowStage: Sendable {
    /// The workflows' code over this world. It is asked for again after each crash, so nothing that it hands out may be the
    /// memory of the control plane.
    func definitions() -> [WorkflowDefinition]

    /// What the service does when it is asked: its rows and the workflow, in one transaction.
    func start(_ workflows: Workflows, in tx: Transaction) throws -> WorkflowID

    /// What the outside sends for a waiting step. Asked when the workflow waits there.
    func signals(for step: String) -> [StagedSignal]

    /// Signals that the step must pass over: of an older generation, of another machine.
    func staleSignals(for step: String) -> [StagedSignal]

    /// All that a run has brought about, in the rows and outside, as text without times. Two runs that come to the same give
    /// the same text.
    func outcome(_ tx: Transaction) throws -> String

    /// What an undone run has left behind, one line a thing. Empty when the slate is clean.
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
