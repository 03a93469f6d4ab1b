package import CloudCore

/// What may be told of a key: all but its bytes.
package struct KeyFacts: Sendable, Equatable {
    package let id: String
    /// `token` for the keys that seal tokens, `secret` for those that seal what is read again.
    package let purpose: String
    package let createdAt: Timestamp
    /// When it was taken into use.
    package let usedFrom: Timestamp
    /// Whether it seals what is sealed now. Another key of the same purpose only opens what it sealed.
    package let isCurrent: Bool
}
