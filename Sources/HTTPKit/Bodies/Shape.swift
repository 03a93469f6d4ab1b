package import CloudCore

/// What a JSON value must look like. It is data, so that a body is checked, documented and fuzzed from one description.
package indirect enum Shape: Sendable {
    case any
    case boolean
    case integer(ClosedRange<Int64>)
    /// Characters counted as Unicode scalars, as JSON Schema does.
    case string(ClosedRange<Int>, Letters = .any)
    case oneOf([String])
    case array(Shape, ClosedRange<Int> = 0...10_000, unique: Bool = false)
    /// - Parameter open: whether members that are not listed are let through.
    case object([Member], open: Bool = false)
    case nullable(Shape)

    /// Which letters a string may have.
    package enum Letters: Sendable {
        case any
        /// At least one that is no white space.
        case notBlank
        /// `[a-zA-Z0-9-]+`, as ids are.
        case id
        /// `[a-zA-Z0-9-_]+`.
        case word
        /// A scheme and something behind it (RFC 1738 section 2.1).
        case url
        /// Neither comma nor slash: a tag (API-SIG's guideline on tags).
        case tag
        /// Something that `Timestamp(iso8601:)` reads.
        case moment
    }

    package struct Member: Sendable {
        package let name: String
        package let shape: Shape
        package let isRequired: Bool

        package init(_ name: String, _ shape: Shape, required: Bool = false) {
            self.name = name
            self.shape = shape
            isRequired = required
        }
    }

    // MARK: Common shapes

    package static let text = Shape.string(0...65_535)
    package static let name = Shape.string(1...255, .notBlank)
    package static let id = Shape.string(1...64, .id)
    package static let url = Shape.string(0...2048, .url)
    package static let openObject = Shape.object([], open: true)

    // MARK: Checking

    /// - Parameter path: where the value stands in the body, for the message: `user/name`.
    /// - Throws: `CloudError.badRequest` that names the place and says what was expected there.
    package func check(_ value: JSON, at path: String) throws {
        switch (self, value) {
        case (.any, _), (.boolean, .bool): return
        case (.nullable, .null): return
        case (.nullable(let shape), _): try shape.check(value, at: path)
        case (.integer(let range), .integer(let number)):
            guard range.contains(number) else { throw Self.wrong(path, "\(number) is not between \(range.lowerBound) and \(range.upperBound)") }
        case (.string(let lengths, let letters), .string(let text)):
            let length = text.unicodeScalars.count
            guard length >= lengths.lowerBound else {
                throw Self.wrong(path, length == 0 ? "it must not be empty" : "it must have at least \(lengths.lowerBound) characters")
            }
            guard length <= lengths.upperBound else { throw Self.wrong(path, "it must have at most \(lengths.upperBound) characters") }
            guard letters.allow(text) else { throw Self.wrong(path, letters.complaint) }
            guard !text.unicodeScalars.contains("\0") else { throw Self.wrong(path, "it must not have a NUL character") }
        case (.oneOf(let words), .string(let text)):
            guard words.contains(text) else {
                throw Self.wrong(path, "it must be one of \(words.map { "'\($0)'" }.joined(separator: ", "))")
            }
        case (.array(let shape, let counts, let unique), .array(let elements)):
            guard counts.contains(elements.count) else {
                throw Self.wrong(path, "it must have from \(counts.lowerBound) to \(counts.upperBound) elements")
            }
            guard !unique || Set(elements).count == elements.count else { throw Self.wrong(path, "it has an element twice") }
            for (position, element) in elements.enumerated() { try shape.check(element, at: "\(path)/\(position)") }
        case (.object(let members, let open), .object(let object)):
            for member in members {
                if let value = object[member.name] {
                    try member.shape.check(value, at: "\(path)/\(member.name)")
                } else if member.isRequired {
                    throw Self.wrong(path, "'\(member.name)' is a required property")
                }
            }
            if !open, let unknown = object.keys.first(where: { key in !members.contains { $0.name == key } }) {
                throw Self.wrong(path, "'\(unknown.prefix(64))' is not a property that it can have")
            }
        default: throw Self.wrong(path, "a value of the type \(value.typeName) is not of the type \(typeName)")
        }
    }

    /// Takes the only member of a body's envelope, as `user` of `{"user": {…}}`, checked.
    package static func unwrap(_ body: JSONObject, _ name: String, _ shape: Shape) throws -> JSONObject {
        guard let inner = body[name] else { throw wrong(name, "'\(name)' is a required property") }
        if let other = body.keys.first(where: { $0 != name }) {
            throw wrong(String(other.prefix(64)), "only '\(name)' is expected here")
        }
        try shape.check(inner, at: name)
        guard case .object(let object) = inner else { throw wrong(name, "a value of the type \(inner.typeName) is not of the type object") }
        return object
    }

    package static func wrong(_ path: String, _ what: String) -> CloudError {
        .badRequest("Invalid input for field '\(path)': \(what).")
    }

    package var typeName: String {
        switch self {
        case .any: "any"
        case .boolean: "boolean"
        case .integer: "integer"
        case .string, .oneOf: "string"
        case .array: "array"
        case .object: "object"
        case .nullable(let shape): "\(shape.typeName) or null"
        }
    }
}

extension Shape.Letters {
    func allow(_ text: String) -> Bool {
        switch self {
        case .any: true
        case .notBlank: text.unicodeScalars.contains { !$0.properties.isWhitespace }
        case .id: text.utf8.allSatisfy { Self.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
        case .word: text.utf8.allSatisfy { Self.isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        case .tag: !text.utf8.contains(UInt8(ascii: ",")) && !text.utf8.contains(UInt8(ascii: "/"))
        case .moment: Timestamp(iso8601: text) != nil
        case .url:
            if let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) {
                colon > text.utf8.startIndex && text.utf8.index(after: colon) < text.utf8.endIndex
                    && text.utf8[..<colon].allSatisfy {
                        Self.isAlphanumeric($0) || [UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "-")].contains($0)
                    }
            } else {
                false
            }
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122)
    }

    var complaint: String {
        switch self {
        case .any: "it is not valid"
        case .notBlank: "it must not be blank"
        case .id: "it may have only letters, digits and hyphens"
        case .word: "it may have only letters, digits, hyphens and underscores"
        case .url: "it must be a URL"
        case .tag: "it must have neither commas nor slashes"
        case .moment: "it must be a date and time as 2026-01-31T23:59:59Z"
        }
    }
}
