/// What is acted upon, as rules see it: the values behind `%(target.user.domain_id)s`, by their dotted names.
///
/// An attribute that is left out makes every check that names it false. One that is nil is there and equals `None`, which is
/// also what a credential equals that the caller does not have: `domain_id:%(target.project.domain_id)s` holds for a caller
/// without a domain when that attribute is nil. So leave out what is unknown, and pass nil only for what is known to be null
/// (the domain of a global role).
package struct PolicyTarget: Sendable, ExpressibleByDictionaryLiteral {
    /// A rule names a handful of attributes at most: looking through them is quicker than hashing, and building costs one array.
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

    /// A truth value, spelt as rules compare it: `True:%(target.project.enabled)s`.
    package mutating func set(_ name: String, to value: Bool) { set(name, to: value ? "True" : "False") }

    /// What a rule compares with: `None` for a nil value, and nil for an attribute that is not there.
    func text(of name: String) -> String? {
        guard let attribute = attributes.first(where: { $0.name == name }) else { return nil }
        return attribute.value ?? PolicyRule.null
    }
}
