/// The target of an action as rules see it: the values behind names such as `%(target.user.domain_id)s`.
///
/// A check that names a missing attribute is false. An attribute that is nil exists and equals `None`, which is also
/// the value of a credential that the caller does not have. So `domain_id:%(target.project.domain_id)s` holds for a
/// caller without a domain if the attribute is nil. Leave out what is unknown, and pass nil only for what is known to
/// be null, such as the domain of a global role.
package struct PolicyTarget: Sendable, ExpressibleByDictionaryLiteral {
    /// The attributes. A rule names only a few, so a search through the array is faster than hashing, and building
    /// costs one array.
    private var attributes: [(name: String, value: String?)]

    package init() { attributes = [] }

    package init(dictionaryLiteral elements: (String, String?)...) {
        self.init()
        attributes.reserveCapacity(elements.count)
        for (name, value) in elements { set(name, to: value) }
    }

    package mutating func set(_ name: String, to value: String?) {
        if let at = attributes.firstIndex(where: { $0.name == name }) {
            attributes[at].value = value
        } else {
            attributes.append((name, value))
        }
    }

    /// Sets a truth value, spelt as rules compare it: `True:%(target.project.enabled)s`.
    package mutating func set(_ name: String, to value: Bool) { set(name, to: value ? "True" : "False") }

    /// Returns the text that a rule compares with: `None` for a nil value, and nil for a missing attribute.
    func text(of name: String) -> String? {
        guard let attribute = attributes.first(where: { $0.name == name }) else { return nil }
        return attribute.value ?? PolicyRule.null
    }
}
