package import CloudCore

/// The public facts about a key: everything but its bytes.
package struct KeyFacts: Sendable, Equatable {
    package let id: String
    /// `token` for keys that seal tokens, `secret` for keys that seal stored secrets.
    package let purpose: String
    package let createdAt: Timestamp
    /// The moment when the key was taken into use.
    package let usedFrom: Timestamp
    /// Whether new data is sealed with this key. Other keys of the same purpose only open what they sealed.
    package let isCurrent: Bool
}
