import CloudCore

extension BodyShape {
    /// Which letters a text may have.
    struct Format: Sendable {
        /// As clients are shown it.
        let pattern: String
        let complaint: String
        let allows: @Sendable (String) -> Bool

        private init(_ pattern: String, _ complaint: String? = nil, _ allows: @escaping @Sendable (String) -> Bool) {
            self.pattern = pattern
            self.complaint = complaint ?? "does not match '\(pattern)'"
            self.allows = allows
        }

        static let any = Format(".*") { _ in true }
        /// Printable, and no white space at either end.
        static let name = Format("name", "is not a 'name'") { text in
            text.unicodeScalars.allSatisfy(\.isPrintable) && text.unicodeScalars.first.map(\.isBlank) != true
                && text.unicodeScalars.last.map(\.isBlank) != true
        }
        /// Printable, with something that is no white space.
        static let spacedName = Format("name_with_leading_trailing_spaces", "is not a 'name_with_leading_trailing_spaces'") { text in
            text.unicodeScalars.allSatisfy(\.isPrintable) && text.unicodeScalars.contains { !$0.isBlank }
        }
        static let zoneName = Format("az_name", "is not a 'az_name'") { name.allows($0) && !$0.contains(":") }
        static let printable = Format("^[ -~]*$") { $0.unicodeScalars.allSatisfy(\.isPrintable) }
        static let flavorID = Format("^(?! )[a-zA-Z0-9. _-]+(?<! )$") { text in
            !text.isEmpty && !text.hasPrefix(" ") && !text.hasSuffix(" ") && letters(text, ". _-")
        }
        static let metadataKey = Format("^[a-zA-Z0-9-_:. ]{1,255}$") { (1...255).contains($0.utf8.count) && letters($0, "-_:. ") }
        static let keyName = Format("^[_\\\\- a-zA-Z0-9]+$") { name.allows($0) && letters($0, "_- ") }
        static let keyName92 = Format("^[_\\\\-\\\\@\\\\. a-zA-Z0-9]+$") { name.allows($0) && letters($0, "_-@. ") }
        static let hostname = Format("^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+$") { text in
            text.utf8.count >= 2 && letters(text, "-") && !text.hasPrefix("-") && !text.hasSuffix("-")
        }
        static let domainName = Format("^[a-zA-Z0-9-._]*$") { letters($0, "-._") }
        static let deviceName = Format("^[a-zA-Z0-9._/-]*$") { letters($0, "._/-") }
        static let id = Format("^[a-zA-Z0-9-]*$") { letters($0, "-") }
        static let tag = Format("^[^,/]*$") { !$0.contains(",") && !$0.contains("/") }
        static let base64 = Format("base64", "is not a 'base64'") { Base64.decode($0) != nil }
        static let ipv4 = Format("ipv4", "is not a 'ipv4'") { IPAddress($0)?.version == .v4 }
        static let ipv6 = Format("ipv6", "is not a 'ipv6'") { IPAddress($0)?.version == .v6 }
        static let moment = Format("date-time", "is not a 'date-time'") { Timestamp(isotime: $0) != nil }
        static let digits = Format("^[0-9]*$") { $0.utf8.allSatisfy { $0 >= 48 && $0 <= 57 } }

        /// Nothing, or what the other format allows.
        static func either(_ format: Format) -> Format {
            Format(format.pattern, format.complaint) { $0.isEmpty || format.allows($0) }
        }

        private static func letters(_ text: String, _ others: String) -> Bool {
            let others = Set(others.utf8)
            return text.utf8.allSatisfy {
                ($0 >= 48 && $0 <= 57) || ($0 >= 65 && $0 <= 90) || ($0 >= 97 && $0 <= 122) || others.contains($0)
            }
        }
    }

    static let name = BodyShape.text(1...255, .name)
    static let id = BodyShape.text(1...255, .id)
    static let hostName = BodyShape.text(1...255, .domainName)
    static let metadata = BodyShape.map(.metadataKey, .text(0...255))
    static let positive = BodyShape.integer(1 ... Int64.max)
    static let natural = BodyShape.integer(0 ... Int64.max)
    static let largestInteger: Int64 = 0x7fff_ffff
}

extension Unicode.Scalar {
    /// Neither a control character nor a separator other than a space.
    fileprivate var isPrintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    fileprivate var isBlank: Bool { properties.isWhitespace || properties.generalCategory == .spaceSeparator }
}
