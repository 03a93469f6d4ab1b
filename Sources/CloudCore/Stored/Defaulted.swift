/// A stored member that older releases did not write. A stored value without the member gets the default.
///
///     /// Whether lists leave the server out.
///     @Defaulted<Default.False> var isHidden = false
///
/// Swift's synthesized decoding ignores the initial value of a member: `var isHidden = false` alone would make all
/// older rows unreadable. The default is a type, because the decoding of a member sees only the type of the member. The
/// initial value applies only to new values.
@propertyWrapper
package struct Defaulted<Default: StoredDefault>: Codable, Sendable {
    package var wrappedValue: Default.Value

    package init(wrappedValue: Default.Value) { self.wrappedValue = wrappedValue }

    // In JSON the value looks the same as without the wrapper.

    package init(from decoder: any Decoder) throws { wrappedValue = try Default.Value(from: decoder) }
    package func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }
}

extension Defaulted: Equatable where Default.Value: Equatable {}
extension Defaulted: Hashable where Default.Value: Hashable {}

extension KeyedDecodingContainer {
    /// Reads a member that may be missing. The compiler chooses this overload for each `@Defaulted` member.
    package func decode<Default: StoredDefault>(_: Defaulted<Default>.Type, forKey key: Key) throws -> Defaulted<Default> {
        Defaulted(wrappedValue: try decodeIfPresent(Default.Value.self, forKey: key) ?? Default.value)
    }
}

/// The value of a stored member that is missing. It never changes, because it is the meaning of older rows.
package protocol StoredDefault: Sendable {
    associatedtype Value: Codable & Sendable
    static var value: Value { get }
}

/// The common defaults. For any other default, declare a type:
///
///     enum Virtio: StoredDefault { static let value = DiskBus.virtio }
package enum Default {
    package enum False: StoredDefault { package static let value = false }
    package enum True: StoredDefault { package static let value = true }
    package enum Zero: StoredDefault { package static let value = 0 }
    package enum EmptyText: StoredDefault { package static let value = "" }
    package enum EmptyList<Element: Codable & Sendable>: StoredDefault { package static var value: [Element] { [] } }
    package enum EmptyMap<Element: Codable & Sendable>: StoredDefault { package static var value: [String: Element] { [:] } }
}
