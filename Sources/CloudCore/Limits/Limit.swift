/// A bound on what a caller may send, ask for or keep.
package struct Limit: Sendable {
    /// The largest number that is taken.
    package let most: Int
    /// The thing that is bounded, with its unit, as `docs/limits.md` shows it.
    package let what: String
    /// The answer to one more: a status and, where it helps, what else happens.
    package let answer: String

    package init(_ most: Int, _ what: String, answer: String) {
        self.most = most
        self.what = what
        self.answer = answer
    }
}

/// All bounds on callers, by the place where they are asked for. No other file has such a number: `LimitTests` looks.
///
/// The bounds of single fields, such as 255 characters of a name, stand in the descriptions of bodies (`Form`,
/// `Shape`), which are data as well. Quotas that an operator sets are rows, and their defaults are the reference's.
package enum Limits {
    package static let request = RequestLimits()
    package static let list = ListLimits()
    package static let pattern = PatternLimits()
    package static let thing = ThingLimits()
    package static let owner = OwnerLimits()
    package static let logIn = LogInLimits()

    /// All bounds, in the order of the document: each section with its heading, each bound with its name.
    package static var sections: [(title: String, limits: [(name: String, limit: Limit)])] {
        [
            ("A request", named(request)), ("A list", named(list)), ("A pattern", named(pattern)),
            ("A thing", named(thing)), ("A user or a project", named(owner)), ("Log-ins", named(logIn)),
        ]
    }

    private static func named(_ section: some Any) -> [(name: String, limit: Limit)] {
        Mirror(reflecting: section).children.compactMap { child in
            guard let name = child.label, let limit = child.value as? Limit else { return nil }
            return (name, limit)
        }
    }
}
