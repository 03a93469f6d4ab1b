/// The identifier of one thing of a kind: an `ID<User>` cannot be passed where an `ID<Project>` is asked for.
///
/// It is text, as every OpenStack API has it: Identity writes 32 hexadecimal digits (and lets some ids be chosen, as a
/// region's), the others a UUID with dashes. Nothing but the service that made an id may read a meaning from it.
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

/// A dictionary by ids is stored as an object.
extension ID: CodingKeyRepresentable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    package var codingKey: any CodingKey { Key(stringValue: text) }
    package init?(codingKey: some CodingKey) { self.init(codingKey.stringValue) }
}

extension ID: Comparable {
    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

/// The kinds of thing that more than one service speaks of. What one service alone knows, it declares itself.
package enum Kind {
    package enum User {}
    package enum Group {}
    package enum Project {}
    package enum Domain {}
    package enum Role {}
    package enum Trust {}
    package enum ApplicationCredential {}
    /// A server, and its machine on a host.
    package enum Server {}
    package enum Image {}
    package enum Network {}
    package enum Subnet {}
    package enum Port {}
    package enum SecurityGroup {}
    /// A resource provider: each host is one.
    package enum Provider {}
    /// A holder of resources: a server, or a migration.
    package enum Consumer {}
}
