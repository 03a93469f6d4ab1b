package import CloudCore
package import Durable

/// The outline of something that outlives a process, as in its golden: a stored value, or a workflow with its steps.
package struct StoredOutline: Equatable, Sendable {
    /// The name of the golden's file.
    package let name: String
    /// The outlines by part: a stored value has one (`value`), a workflow two (`input` and `state`).
    package var shapes: [String: Shape]
    /// The steps of a workflow, in order: the nature and the name of each, and `|` for the point of no return; nil for
    /// a stored value.
    package var steps: [String]?

    /// Reads the outline of a stored value.
    package init<Value: StoredValue>(_ type: Value.Type, _ reader: ShapeReader) throws {
        name = type.storedName
        shapes = ["value": try reader.shape(of: type)]
    }

    /// Reads the outline of a workflow.
    package init<W: Workflow>(workflow: W.Type, _ reader: ShapeReader) throws {
        let outline = Outline(workflow)
        name = "workflow.\(W.kind).\(W.version)"
        shapes = ["input": try reader.shape(of: W.Input.self), "state": try reader.shape(of: W.State.self)]
        steps = outline.fingerprint.split(separator: " ").map { word in
            let wait = outline.steps.first { word == "wait:\($0.name)" }?.waits?.signal
            return wait.map { "\(word) for \($0)" } ?? String(word)
        }
    }

    // MARK: As JSON

    package var json: JSON {
        var members = shapes.sorted { $0.key < $1.key }.map { ($0.key, $0.value.json) }
        if let steps { members.append(("steps", .array(steps.map(JSON.string)))) }
        return .object(JSONObject(members))
    }

    package init(name: String, _ json: JSON) throws {
        self.name = name
        steps = json["steps"]?.array?.compactMap(\.string)
        let members = json.object?.members.filter { $0.key != "steps" } ?? []
        shapes = Dictionary(try members.map { ($0.key, try Shape($0.value)) }) { $1 }
    }
}

/// The outlines of everything that is stored at one time: now, or when a release was made.
package struct StoredOutlines: Sendable {
    package private(set) var all: [String: StoredOutline]

    package init(_ outlines: [StoredOutline]) { all = Dictionary(outlines.map { ($0.name, $0) }) { $1 } }

    private var values: [String: Shape] { all.compactMapValues { $0.shapes["value"] } }

    /// Returns the faults of a change, each with advice. The result is empty if everything that was written `before` is
    /// still read with the same meaning.
    package func faults(of name: String, since before: StoredOutlines) -> [String] {
        guard let old = before.all[name] else { return [] }
        let isWorkflow = old.steps != nil
        let keep = isWorkflow ? Self.keepWorkflow : Self.keepValue
        guard let new = all[name] else { return ["\(name) is not stored any more, and a release has written it. \(keep)"] }
        var faults: [String] = []
        if old.steps != new.steps {
            faults.append(
                """
                The steps of \(name) were \(Self.line(old)) and are \(Self.line(new)): what had begun would be blocked. \
                Give the changed workflow the next version, and keep the former one beside it (docs/adding-a-workflow.md).
                """)
        }
        let change = ShapeChange(before: before.values, now: values, keep: keep)
        for (part, shape) in old.shapes.sorted(by: { $0.key < $1.key }) {
            guard let other = new.shapes[part] else { continue }
            faults += change.faults(shape, other, at: part == "value" ? name : "\(name) \(part)")
        }
        return faults
    }

    private static func line(_ outline: StoredOutline) -> String { "[\(outline.steps?.joined(separator: " ") ?? "")]" }

    private static let keepWorkflow = """
        Keep it for what had begun: the changed workflow gets the next version, and the former one stays beside it \
        (docs/adding-a-workflow.md).
        """
    private static let keepValue = """
        Keep it, Optional if nothing writes it any more, or bring what was written along with a migration \
        (docs/releases.md).
        """
}
