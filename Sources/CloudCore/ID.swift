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

/// The kinds of things that several services know. A kind that only one service knows is declared in that service.
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
    package enum Volume {}
    /// A snapshot of a volume.
    package enum Snapshot {}
    package enum Network {}
    package enum Subnet {}
    package enum Port {}
    package enum SecurityGroup {}
    /// A resource provider: each host is one.
    package enum Provider {}
    /// A holder of resources: a server, or a migration.
    package enum Consumer {}
}
