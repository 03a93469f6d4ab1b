/// A password, a key, a token: it can be used, and it cannot be printed, logged, interpolated or encoded by accident.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    package init(_ text: String) { self.text = text }

    /// The secret itself. Every call is a place to look at in a review.
    package func reveal() -> String { text }

    package var isEmpty: Bool { text.isEmpty }
    package var utf8Count: Int { text.utf8.count }

    package var description: String { "***" }
    package var debugDescription: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// In time that tells nothing but the lengths.
    package static func == (left: Self, right: Self) -> Bool { constantTimeEquals(left.text.utf8, right.text.utf8) }
}

/// Whether two texts are the same, in time that depends on their lengths alone: what a secret is compared with.
package func constantTimeEquals(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
    var difference = UInt8(left.count == right.count ? 0 : 1)
    for (a, b) in zip(left, right) { difference |= a ^ b }
    return difference == 0
}
