import CloudCore

/// The rule for the characters of a text, and the words for it in both dialects.
package struct TextFormat: Sendable {
    /// The regular expression, or the name of the format, in JSON Schema's messages.
    package let shown: String
    package let isPattern: Bool
    /// The end of the sentence that begins with "it" in the house's messages.
    package let rule: String
    package let allows: @Sendable (String) -> Bool

    private init(_ shown: String, _ isPattern: Bool, _ rule: String?, _ allows: @escaping @Sendable (String) -> Bool) {
        self.shown = shown
        self.isPattern = isPattern
        self.rule = rule ?? (isPattern ? "must match '\(shown)'" : "must be a '\(shown)'")
        self.allows = allows
    }

    package static func pattern(_ shown: String, rule: String? = nil, _ allows: @escaping @Sendable (String) -> Bool) -> TextFormat {
        TextFormat(shown, true, rule, allows)
    }

    package static func named(_ shown: String, rule: String? = nil, _ allows: @escaping @Sendable (String) -> Bool) -> TextFormat {
        TextFormat(shown, false, rule, allows)
    }

    /// Returns a format that also allows the empty text.
    package static func orEmpty(_ format: TextFormat) -> TextFormat {
        TextFormat(format.shown, format.isPattern, format.rule) { $0.isEmpty || format.allows($0) }
    }

    /// Returns whether a text has only ASCII letters, digits and the given other characters.
    package static func hasOnlyLetters(_ text: some StringProtocol, and others: StaticString = "") -> Bool {
        text.utf8.allSatisfy { byte in
            (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122)
                || others.withUTF8Buffer { $0.contains(byte) }
        }
    }

    package static let any = pattern(".*", rule: "is not valid") { _ in true }
    /// A text with at least one character that is not white space.
    package static let notBlank = pattern("\\S", rule: "must not be blank") { $0.unicodeScalars.contains { !$0.properties.isWhitespace } }
    package static let id = pattern("^[a-zA-Z0-9-]*$", rule: "may have only letters, digits and hyphens") { hasOnlyLetters($0, and: "-") }
    package static let word = pattern("^[a-zA-Z0-9-_]*$", rule: "may have only letters, digits, hyphens and underscores") {
        hasOnlyLetters($0, and: "-_")
    }
    /// A UUID with or without dashes, braces and the prefix `urn:uuid:`.
    package static let uuid = named("uuid", rule: "must be a UUID") { UUIDText.normal($0) != nil }
    /// A tag (API-SIG's guideline on tags).
    package static let tag = pattern("^[^,/]*$", rule: "must have neither commas nor slashes") { text in
        !text.utf8.contains(UInt8(ascii: ",")) && !text.utf8.contains(UInt8(ascii: "/"))
    }
    package static let base64 = named("base64", rule: "must be Base64") { Base64.decode($0) != nil }
    package static let ipv4 = named("ipv4", rule: "must be an IPv4 address") { IPAddress($0)?.version == .v4 }
    package static let ipv6 = named("ipv6", rule: "must be an IPv6 address") { IPAddress($0)?.version == .v6 }
    /// A moment that `Timestamp(isotime:)` can read.
    package static let dateTime = named("date-time", rule: "must be a date and time") { Timestamp(isotime: $0) != nil }
    /// A moment that `Timestamp(iso8601:)` can read.
    package static let moment = named("date-time", rule: "must be a date and time as 2026-01-31T23:59:59Z") { Timestamp(iso8601: $0) != nil }
    /// A scheme, a colon and at least one character after it (RFC 1738 section 2.1).
    package static let url = named("uri", rule: "must be a URL") { text in
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
        return colon > text.utf8.startIndex && text.utf8.index(after: colon) < text.utf8.endIndex && hasOnlyLetters(text[..<colon], and: "+.-")
    }
}
