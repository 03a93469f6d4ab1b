/// The name of something that a policy allows or forbids, as `identity:get_user`: what a service asks about before it acts.
///
/// A service declares its own in an extension (`static let getUser: Action = "identity:get_user"`), so that a misspelt
/// action is a compiler's error and not a rule that is never found.
package struct Action: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let name: String

    package init(_ name: String) { self.name = name }

    package init(stringLiteral name: StaticString) { self.name = name.description }

    package var description: String { name }
}

extension Action: Comparable {
    package static func < (left: Self, right: Self) -> Bool { left.name < right.name }
}
