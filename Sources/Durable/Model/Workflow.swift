package import CloudCore

/// A durable operation: an ordered list of named steps over one value, its state.
///
/// The database remembers the names of the steps and not their code. So another process or a newer binary can carry the
/// workflow on, as long as the steps are the same. A change of the steps, of `Input` or of `State` needs a new
/// `version`.
package protocol Workflow: Sendable {
    /// The request that the workflow carries out. It is written once, at the start.
    associatedtype Input: Codable & Sendable
    /// The findings of the steps, filled in as they pass. It is written after every step.
    associatedtype State: Codable & Sendable
    /// Stores, agents, ports: everything outside the state that the steps can reach.
    associatedtype Needs: Sendable

    static var kind: WorkflowKind { get }
    /// The version of the steps and of the stored shapes. The first one, 1, need not be declared.
    static var version: Int { get }
    /// The most workflows of the kind that one process carries out at a time; nil for as many as it has places.
    static var mostAtOnce: Int? { get }
    /// Returns the state before the first step.
    static func start(_ input: Input) -> State
    @StepsBuilder<Self> static var steps: Steps<Self> { get }
}

extension Workflow {
    package static var version: Int { 1 }
    package static var mostAtOnce: Int? { nil }
}

/// A state that has no findings before the first step.
package protocol WorkflowState: Codable, Sendable {
    init()
}

extension Workflow where State: WorkflowState {
    package static func start(_ input: Input) -> State { State() }
}

/// The name of a durable operation, such as `compute.server.create`.
package struct WorkflowKind: Hashable, Sendable, Codable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let name: String
    package init(_ name: String) { self.name = name }
    package init(stringLiteral value: String) { name = value }
    package var description: String { name }
}

/// The resource that a workflow works on, such as `compute.server/<id>`. At most one workflow at a time is active on a
/// resource.
package struct ResourceKey: Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
}

/// The word that the user of the API sees while a step runs: Nova's `task_state`. Each service declares its own words.
package struct ShownState: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package init(stringLiteral value: String) { text = value }
    package var description: String { text }
}

/// The name of an event from outside that a step waits for, such as `machine-running`.
package struct SignalName: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package init(stringLiteral value: String) { text = value }
    package var description: String { text }
}

/// An event from outside, as a waiting step gets it.
package struct Signal: Sendable, Equatable {
    package let name: SignalName
    /// The payload as JSON text; nil if the name says all.
    package let payload: String?
    package let at: Timestamp
    let number: Int64

    /// Returns the payload as a value of the type that it was sent as.
    ///
    /// - Throws: a permanent `CloudError` if the payload has another shape.
    package func decode<Value: StoredValue>(_ type: Value.Type = Value.self) throws -> Value {
        try StoredJSON.value(type, from: payload ?? "null")
    }
}

package typealias WorkflowID = ID<WorkflowRecord>
