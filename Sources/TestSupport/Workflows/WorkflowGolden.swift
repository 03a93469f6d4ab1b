package import Durable

/// What a process of another version must find unchanged: the list that a golden file pins.
package enum WorkflowGolden {
    /// A line a workflow: its kind, its version, its steps, and the shape of its input and of the state that it starts with.
    package static func lines(_ samples: [Sample]) -> [String] { samples.map(\.line).sorted() }

    /// A workflow with an input to look at.
    package struct Sample {
        let line: String

        package init<W: Workflow>(_ workflow: W.Type, _ input: W.Input) {
            let outline = Outline(workflow)
            let shapes = "input \(shape(of: input)) state \(shape(of: W.start(input)))"
            line = "\(outline.key): \(outline.fingerprint)\n    \(shapes)"
        }
    }

    /// The names and types of a value's fields, also of the structs in it. Absent values show as their types.
    private static func shape(of value: Any) -> String {
        let mirror = Mirror(reflecting: value)
        guard mirror.displayStyle == .struct, !mirror.children.isEmpty, !(value is any CustomStringConvertible) else {
            return "\(type(of: value))"
        }
        return "{" + mirror.children.map { "\($0.label ?? ""): \(shape(of: $0.value))" }.joined(separator: ", ") + "}"
    }
}
