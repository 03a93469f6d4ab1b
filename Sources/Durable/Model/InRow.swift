import CloudCore

/// The input or the state of a workflow, as its row stores it. Each has an outline; the tests take the types from the
/// list of workflows.
struct InRow<W: Workflow, Value: Codable & Sendable>: StoredValue {
    var value: Value

    static var storedName: String { "\(Value.self) of \(W.kind) version \(W.version)" }

    init(_ value: Value) { self.value = value }
    init(from decoder: any Decoder) throws { value = try Value(from: decoder) }
    func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
}

extension Workflow {
    /// Returns the text of an input or a state for its column.
    static func text<Value: Codable & Sendable>(_ value: Value) throws -> String {
        try StoredJSON.text(InRow<Self, Value>(value))
    }

    /// Returns the input or the state that is stored in a column.
    static func value<Value: Codable & Sendable>(from text: String) throws -> Value {
        try StoredJSON.value(InRow<Self, Value>.self, from: text).value
    }
}
