package import CloudCore

/// A durable operation: an ordered list of named steps over one value, its state.
///
/// Its steps, and not its code, are what the database remembers. So it can be carried on by another process, and by a newer
/// binary, as long as the steps are the same; a change of the steps, of `Input` or of `State` takes a new `version`.
package protocol Workflow: Sendable {
    /// What it was asked to do. It is written once, at the start.
    associatedtype Input: Codable & Sendable
    /// What the steps found out, filled in as they pass. It is written after every step.
    associatedtype State: Codable & Sendable
    /// Stores, agents, ports: the only world that its steps can reach.
    associatedtype Needs: Sendable

    static var kind: WorkflowKind { get }
    /// Counts from 1.
    static var version: Int { get }
    /// The most workflows of the kind that one process carries out at a time; nil: as many as it has places.
    static var mostAtOnce: Int? { get }
    static func start(_ input: Input) -> State
    @StepsBuilder<Self> static var steps: Steps<Self> { get }
}

extension Workflow {
    package static var mostAtOnce: Int? { nil }
}

/// The name of a durable operation, as `compute.server.create`.
package struct WorkflowKind: Hashable, Sendable, Codable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let name: String
    package init(_ name: String) { self.name = name }
    package init(stringLiteral value: String) { name = value }
    package var description: String { name }
}

/// What a workflow works on, as `compute.server/<id>`: the key under which one workflow at a time may be active.
package struct ResourceKey: Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
}

/// What the API's user is told while a step runs: Nova's `task_state`. Each service declares its own words.
package struct ShownState: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package init(stringLiteral value: String) { text = value }
    package var description: String { text }
}

/// The name of an event from outside that a step waits for, as `machine-running`.
package struct SignalName: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package init(stringLiteral value: String) { text = value }
    package var description: String { text }
}

/// An event from outside, as a waiting step gets it.
package struct Signal: Sendable, Equatable {
    package let name: SignalName
    /// JSON text, or nil when the name says all.
    package let payload: String?
    package let at: Timestamp
    let number: Int64

    /// The payload as the value that it was sent as.
    ///
    /// - Throws: a permanent `CloudError` when it is something else.
    package func decode<Value: StoredValue>(_ type: Value.Type = Value.self) throws -> Value {
        try StoredJSON.value(type, from: payload ?? "null")
    }
}

package typealias WorkflowID = ID<WorkflowRecord>
