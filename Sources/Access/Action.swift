/// The name of something that a policy allows or forbids, such as `identity:get_user`. A service asks the policy about
/// it before it acts.
///
/// Each service declares its actions in an extension (`static let getUser: Action = "identity:get_user"`). So a
/// misspelt action is a compiler error, and not a rule that is never found.
package struct Action: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let name: String

    package init(_ name: String) { self.name = name }

    package init(stringLiteral name: StaticString) { self.name = name.description }

    package var description: String { name }
}

extension Action: Comparable {
    package static func < (left: Self, right: Self) -> Bool { left.name < right.name }
}
