import CloudCore
import HTTPKit

// The patterns of Placement's schemas.

extension TextFormat {
    static let uuidKey = pattern("^[0-9a-fA-F-]{36}$") { text in text.utf8.count == 36 && text.utf8.allSatisfy { isHex($0) || $0 == 45 } }
    static let className = pattern("^[A-Z0-9_]+$") { isName($0) }
    static let customName = pattern("^CUSTOM_[A-Z0-9_]+$") { isCustomName($0) }
    static let consumerType = pattern("^[A-Z0-9_]+$|^all|^unknown$") { isName($0) || $0.hasPrefix("all") || $0 == "unknown" }
    static let positive = pattern("^[1-9][0-9]*$") { isPositive($0) }
    static let suffix = pattern("^[a-zA-Z0-9_-]{1,64}$") { isSuffix($0) }

    /// Returns the format of a group parameter's name: `word` alone or with a suffix. The suffix is a number before
    /// 1.33, and letters, digits, `_` and `-` from then on.
    static func group(_ word: String, named: Bool) -> TextFormat {
        pattern(named ? "^\(word)([a-zA-Z0-9_-]{1,64})?$" : "^\(word)([1-9][0-9]*)?$") { text in
            guard text.hasPrefix(word) else { return false }
            let rest = text.dropFirst(word.count)
            return rest.isEmpty || (named ? isSuffix(rest) : isPositive(rest))
        }
    }

    /// Returns whether a text is a valid name of a trait or a resource class of an operator.
    static func isCustomName(_ text: String) -> Bool { text.hasPrefix("CUSTOM_") && isName(text.dropFirst(7)) }

    private static func isName(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { ($0 >= 65 && $0 <= 90) || ($0 >= 48 && $0 <= 57) || $0 == 95 }
    }

    private static func isPositive(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.first != "0" && text.utf8.allSatisfy { $0 >= 48 && $0 <= 57 }
    }

    private static func isSuffix(_ text: some StringProtocol) -> Bool { (1...64).contains(text.utf8.count) && hasOnlyLetters(text, and: "-_") }

    private static func isHex(_ byte: UInt8) -> Bool {
        (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 70) || (byte >= 97 && byte <= 102)
    }
}

extension Dialect {
    /// Returns Placement's dialect: the message of JSON Schema, and the keyword that failed with its place in the
    /// schema.
    ///
    /// - Parameter prefix: the words before the message.
    static func placement(_ prefix: String) -> Dialect {
        Dialect(checksMembersFirst: false, takesWholeFractions: true) { mismatch in
            .badRequest(
                "\(prefix)\(mismatch.schemaWords(limit: 300))\n\nFailed validating '\(mismatch.schemaKeyword)' in schema\(mismatch.schemaPlace)")
        }
    }
}
