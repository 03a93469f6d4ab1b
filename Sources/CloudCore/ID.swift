/// The identifier of a thing of one kind: an `ID<User>` cannot be passed where an `ID<Project>` is expected.
///
/// It is text, as in every OpenStack API. Identity writes 32 hexadecimal digits (and lets callers choose some ids, such
/// as those of regions); the other services write a UUID with dashes. Only the service that made an id may read a
/// meaning in it.
package struct ID<Entity>: Hashable, Sendable, Codable, CustomStringConvertible, LosslessStringConvertible {
    package let text: String

    package init(_ text: String) { self.text = text }

    package init(from decoder: any Decoder) throws { text = try decoder.singleValueContainer().decode(String.self) }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    package var description: String { text }
}

extension ID: Comparable {
    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

/// The kinds of things that several services know. A kind that only one service knows is declared in that service.
package enum Kind {
    package enum User {}
    package enum Group {}
    package enum Project {}
    package enum Domain {}
    package enum Role {}
    package enum Trust {}
    package enum ApplicationCredential {}
}
