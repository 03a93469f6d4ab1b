import CloudCore
import HTTPKit

// The formats and common values of Compute's schemas.

extension TextFormat {
    /// Printable text without white space at either end.
    static let plainName = named("name") { text in
        text.unicodeScalars.allSatisfy(\.isPrintable) && text.unicodeScalars.first.map(\.isBlank) != true
            && text.unicodeScalars.last.map(\.isBlank) != true
    }
    /// Printable text that is not only white space.
    static let spacedName = named("name_with_leading_trailing_spaces") { text in
        text.unicodeScalars.allSatisfy(\.isPrintable) && text.unicodeScalars.contains { !$0.isBlank }
    }
    static let zoneName = named("az_name") { plainName.allows($0) && !$0.contains(":") }
    static let printable = pattern("^[ -~]*$") { $0.unicodeScalars.allSatisfy(\.isPrintable) }
    static let flavorID = pattern("^(?! )[a-zA-Z0-9. _-]+(?<! )$") { text in
        !text.isEmpty && !text.hasPrefix(" ") && !text.hasSuffix(" ") && hasOnlyLetters(text, and: ". _-")
    }
    static let metadataKey = pattern("^[a-zA-Z0-9-_:. ]{1,255}$") { (1...255).contains($0.utf8.count) && hasOnlyLetters($0, and: "-_:. ") }
    static let keyName = pattern("^[_\\\\- a-zA-Z0-9]+$") { plainName.allows($0) && hasOnlyLetters($0, and: "_- ") }
    static let keyName92 = pattern("^[_\\\\-\\\\@\\\\. a-zA-Z0-9]+$") { plainName.allows($0) && hasOnlyLetters($0, and: "_-@. ") }
    static let hostname = pattern("^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+$") { text in
        text.utf8.count >= 2 && hasOnlyLetters(text, and: "-") && !text.hasPrefix("-") && !text.hasSuffix("-")
    }
    static let domainName = pattern("^[a-zA-Z0-9-._]*$") { hasOnlyLetters($0, and: "-._") }
    /// The path of a disk in a guest, such as `/dev/vdb`.
    static let devicePath = pattern("(^/dev/x{0,1}[a-z]{0,1}d{0,1})([a-z]+)[0-9]*$") { text in
        guard text.hasPrefix("/dev/") else { return false }
        let name = text.utf8.dropFirst("/dev/".utf8.count)
        let number = name.drop { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 }
        return number.count < name.count && number.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    }
    static let deviceName = pattern("^[a-zA-Z0-9._/-]*$") { hasOnlyLetters($0, and: "._/-") }
}

extension Shape {
    static let plainName = Shape.string(1...255, .plainName)
    static let hostName = Shape.string(1...255, .domainName)
    static let largestInteger: Int64 = 0x7fff_ffff
}

extension Form where Value == String {
    /// A name of 1 to 255 printable characters, without white space at its ends.
    static let plainName = Form.string(1...255, .plainName).mapped(\.trimmed)
    static let hostName = Form.string(1...255, .domainName)
    static let tag = Form.string(1...60, .tag)
    /// The text of an IP address, as it is given.
    static let givenAddress = Form(.address) { $0.string }
}

extension Form where Value == [String: String] {
    static let metadata = Form.dictionary(.metadataKey, .string(0...255))
    /// An object whose one member, `meta`, has one item of metadata.
    static let item = Form.dictionary(.metadataKey, .string(0...255), 1...1).inside("meta")
}

extension Form where Value == [String] {
    /// The tags of a server without repetitions.
    static let tags = Form.array(.tag, 0...50).mapped { tags in
        tags.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    }
}

extension Dialect {
    /// Compute's dialect: the innermost wrong member, its value and the message of JSON Schema.
    static let compute = Dialect(checksMembersFirst: true) { mismatch in
        let words = mismatch.schemaWords(limit: 1000)
        guard let field = mismatch.place.first else { return .badRequest(words) }
        return wrong(field.name, mismatch.value, words)
    }

    /// Returns the error for a wrong member of a body.
    static func wrong(_ field: String, _ value: JSON, _ what: String) -> CloudError {
        .badRequest("Invalid input for field/attribute \(field). Value: \(value.shown). \(what)")
    }
}

extension Unicode.Scalar {
    /// Whether the scalar is neither a control character nor a separator other than a space.
    fileprivate var isPrintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    fileprivate var isBlank: Bool { properties.isWhitespace || properties.generalCategory == .spaceSeparator }
}
