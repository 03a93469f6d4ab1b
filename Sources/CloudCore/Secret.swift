/// A password, key or token. It can be used, but it cannot be printed, logged, interpolated or encoded by accident.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    package init(_ text: String) { self.text = text }

    /// Returns the secret text. Reviewers check every call of this function.
    package func reveal() -> String { text }

    package var isEmpty: Bool { text.isEmpty }
    package var utf8Count: Int { text.utf8.count }

    package var description: String { "***" }
    package var debugDescription: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// Compares two secrets in a time that reveals nothing but their lengths.
    package static func == (left: Self, right: Self) -> Bool { constantTimeEquals(left.text.utf8, right.text.utf8) }
}

/// Returns whether two texts are the same, in a time that depends only on their lengths. Secrets are compared with it.
package func constantTimeEquals(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
    var difference = UInt8(left.count == right.count ? 0 : 1)
    for (a, b) in zip(left, right) { difference |= a ^ b }
    return difference == 0
}
