package import Access
import CloudCore

/// The policy rules for single attributes. `create_port:mac_address` guards an attribute of a body, and
/// `get_port:binding:host_id` an attribute of a view. A rule alone guards its attribute: the resource's description
/// does not mention it.
package struct AttributeRules: Sendable {
    private let guarded: Set<Action>
    /// The guarded attributes of views, by the noun.
    let views: [String: [(attribute: String, action: Action)]]

    /// - Parameter actions: all actions that have a rule.
    package init(_ actions: [Action] = []) {
        var views: [String: [(attribute: String, action: Action)]] = [:]
        for action in actions {
            let parts = action.name.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].hasPrefix("get_") else { continue }
            views[String(parts[0].dropFirst(4)), default: []].append((String(parts[1]), action))
        }
        guarded = Set(actions.filter { $0.name.contains(":") })
        self.views = views
    }

    var isEmpty: Bool { guarded.isEmpty }

    /// Returns the guarded actions that a body needs: those of its members, and of the members of its objects.
    ///
    /// - Parameter isNew: whether the request creates a resource. If so, a member that repeats the default value needs
    /// no permission.
    func actions<R: Resource>(_ wanted: Action, _ given: Given<R>, isNew: Bool) -> [Action] {
        guard !isEmpty else { return [] }
        var actions: [Action] = []
        for (key, value) in given.members.members {
            let field = R.schema.fields.last { $0.name == key && $0.shown != .never }
            if isNew, let field, field.json(R()) == value { continue }
            let action = "\(wanted.name):\(key)"
            actions.append(Action(action))
            let parts = value.object.map { [$0] } ?? value.array?.compactMap(\.object) ?? []
            actions += Set(parts.flatMap(\.keys)).map { Action("\(action):\($0)") }
        }
        return actions.filter(guarded.contains)
    }
}
