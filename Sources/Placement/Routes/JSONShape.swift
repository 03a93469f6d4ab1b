import CloudCore

/// What a JSON value must look like, in the terms of JSON Schema: Placement's clients are told which of them did not hold, and
/// where (`Failed validating 'minimum' in schema['properties']['total']`).
indirect enum JSONShape: Sendable {
    case integer(ClosedRange<Int64> = .min ... .max, nullable: Bool = false)
    case number(most: Double)
    case text(ClosedRange<Int> = 0...Int.max, JSONPattern? = nil, oneOf: [String] = [])
    case uuid(nullable: Bool = false)
    case list(JSONShape, least: Int = 0, unique: Bool = false)
    case object(Members)

    struct Members: Sendable {
        var required: [String] = []
        var named: [(name: String, shape: JSONShape)] = []
        var matching: [(pattern: JSONPattern, shape: JSONShape)] = []
        /// Whether there may be others.
        var isOpen = false
        var least = 0
    }

    static func object(
        _ named: [(String, JSONShape)] = [], required: [String] = [], matching: [(JSONPattern, JSONShape)] = [], open: Bool = false,
        least: Int = 0
    ) -> JSONShape {
        .object(
            Members(
                required: required, named: named.map { (name: $0.0, shape: $0.1) },
                matching: matching.map { (pattern: $0.0, shape: $0.1) }, isOpen: open, least: least))
    }

    /// - Throws: `CloudError.badRequest`, its message behind `prefix`.
    func check(_ value: JSON, prefix: String) throws {
        guard let failure = failure(value) else { return }
        let place = failure.place.reversed().joined()
        throw CloudError.badRequest("\(prefix)\(failure.what)\n\nFailed validating '\(failure.keyword)' in schema\(place)")
    }

    private struct Failure {
        let what: String
        let keyword: String
        /// The innermost first.
        var place: [String] = []

        func below(_ parts: String...) -> Failure {
            Failure(what: what, keyword: keyword, place: place + [parts.map { "['\($0)']" }.joined()])
        }
    }

    private func failure(_ value: JSON) -> Failure? {
        let shown = String(value.quoted.prefix(300))
        func fail(_ what: String, _ keyword: String) -> Failure { Failure(what: "\(shown) \(what)", keyword: keyword) }
        switch (self, value) {
        case (.integer(_, nullable: true), .null), (.uuid(nullable: true), .null): return nil
        case (.integer(let range, _), .integer(let number)):
            if number < range.lowerBound { return fail("is less than the minimum of \(range.lowerBound)", "minimum") }
            if number > range.upperBound { return fail("is greater than the maximum of \(range.upperBound)", "maximum") }
        case (.integer, .number(let number)) where number == number.rounded() && abs(number) < 9e15:
            return failure(.integer(Int64(number)))
        case (.integer(_, let nullable), _): return fail("is not of type 'integer'\(nullable ? ", 'null'" : "")", "type")
        case (.number(let most), .integer(let number)):
            if Double(number) > most { return fail("is greater than the maximum of \(most)", "maximum") }
        case (.number(let most), .number(let number)):
            if number > most { return fail("is greater than the maximum of \(most)", "maximum") }
        case (.number, _): return fail("is not of type 'number'", "type")
        case (.text(let lengths, let pattern, let words), .string(let text)):
            let count = text.unicodeScalars.count
            if count < lengths.lowerBound { return fail("is too short", "minLength") }
            if count > lengths.upperBound { return fail("is too long", "maxLength") }
            if let pattern, !pattern.matches(text) { return fail("does not match '\(pattern.text)'", "pattern") }
            if !words.isEmpty, !words.contains(text) {
                return fail("is not one of [\(words.map { "'\($0)'" }.joined(separator: ", "))]", "enum")
            }
        case (.uuid, .string(let text)):
            if UUIDText.normal(text) == nil { return fail("is not a 'uuid'", "format") }
        case (.text, _), (.uuid, _): return fail("is not of type 'string'", "type")
        case (.list(let shape, let least, let unique), .array(let elements)):
            if elements.count < least { return fail(elements.isEmpty ? "should be non-empty" : "is too short", "minItems") }
            if unique, Set(elements).count != elements.count { return fail("has non-unique elements", "uniqueItems") }
            for element in elements {
                if let inner = shape.failure(element) { return inner.below("items") }
            }
        case (.list, _): return fail("is not of type 'array'", "type")
        case (.object(let members), .object(let object)): return Self.failure(object, members, shown)
        case (.object, _): return fail("is not of type 'object'", "type")
        }
        return nil
    }

    /// What is wrong with the object itself comes before what is wrong with its members.
    private static func failure(_ object: JSONObject, _ members: Members, _ shown: String) -> Failure? {
        if let missing = members.required.first(where: { object[$0] == nil }) {
            return Failure(what: "'\(missing)' is a required property", keyword: "required")
        }
        if object.count < members.least {
            return Failure(what: "\(shown) \(object.isEmpty ? "should be non-empty" : "does not have enough properties")", keyword: "minProperties")
        }
        let unknown = object.keys.filter { key in
            !members.named.contains { $0.name == key } && !members.matching.contains { $0.pattern.matches(key) }
        }
        if !members.isOpen, !unknown.isEmpty {
            let names = unknown.sorted().map { "'\($0.prefix(255))'" }.joined(separator: ", ")
            guard members.matching.isEmpty else {
                let patterns = members.matching.map { "'\($0.pattern.text)'" }.sorted().joined(separator: ", ")
                return Failure(
                    what: "\(names) \(unknown.count == 1 ? "does" : "do") not match any of the regexes: \(patterns)",
                    keyword: "additionalProperties")
            }
            return Failure(
                what: "Additional properties are not allowed (\(names) \(unknown.count == 1 ? "was" : "were") unexpected)",
                keyword: "additionalProperties")
        }
        for (name, shape) in members.named {
            if let value = object[name], let inner = shape.failure(value) { return inner.below("properties", name) }
        }
        for (pattern, shape) in members.matching {
            for (key, value) in object.members where pattern.matches(key) {
                if let inner = shape.failure(value) { return inner.below("patternProperties", pattern.text) }
            }
        }
        return nil
    }
}

/// A pattern as clients are shown it, and what it means.
struct JSONPattern: Sendable {
    let text: String
    let matches: @Sendable (String) -> Bool

    private static func isName(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { ($0 >= 65 && $0 <= 90) || ($0 >= 48 && $0 <= 57) || $0 == 95 }
    }

    static let uuid = JSONPattern(text: "^[0-9a-fA-F-]{36}$") { text in
        text.utf8.count == 36 && text.utf8.allSatisfy { Hex.isDigit($0) || $0 == 45 }
    }
    static let name = JSONPattern(text: "^[A-Z0-9_]+$") { isName($0) }
    static let customName = JSONPattern(text: "^CUSTOM_[A-Z0-9_]+$") { $0.hasPrefix("CUSTOM_") && isName($0.dropFirst(7)) }
    static let consumerType = JSONPattern(text: "^[A-Z0-9_]+$|^all|^unknown$") { isName($0) || $0.hasPrefix("all") || $0 == "unknown" }
    static let positive = JSONPattern(text: "^[1-9][0-9]*$") { isPositive($0) }

    static func isPositive(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.first != "0" && text.utf8.allSatisfy { $0 >= 48 && $0 <= 57 }
    }

    static func isSuffix(_ text: some StringProtocol) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { Hex.isDigit($0) || ($0 >= 65 && $0 <= 90) || ($0 >= 97 && $0 <= 122) || $0 == 45 || $0 == 95 }
    }

    static let suffix = JSONPattern(text: "^[a-zA-Z0-9_-]{1,64}$") { isSuffix($0) }

    /// `resources`, or `resources` with a suffix: a number before 1.33, letters from then on.
    static func group(_ word: String, named: Bool) -> JSONPattern {
        JSONPattern(text: named ? "^\(word)([a-zA-Z0-9_-]{1,64})?$" : "^\(word)([1-9][0-9]*)?$") { text in
            guard text.hasPrefix(word) else { return false }
            let rest = text.dropFirst(word.count)
            return rest.isEmpty || (named ? isSuffix(rest) : isPositive(rest))
        }
    }
}

extension JSON {
    /// The value as messages show it, with strings in single quotes.
    fileprivate var quoted: String {
        switch self {
        case .null: "None"
        case .bool(let value): value ? "True" : "False"
        case .string(let value): "'\(value)'"
        case .array(let elements): "[\(elements.map(\.quoted).joined(separator: ", "))]"
        case .object(let object): "{\(object.members.map { "'\($0.key)': \($0.value.quoted)" }.joined(separator: ", "))}"
        case .integer, .number: text
        }
    }
}

extension Hex {
    fileprivate static func isDigit(_ byte: UInt8) -> Bool {
        (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 70) || (byte >= 97 && byte <= 102)
    }
}

extension UUIDText {
    /// The form with dashes and in lower case of what is a UUID with or without them; nil for anything else.
    static func normal(_ text: String) -> String? {
        let digits = text.lowercased().replacing("urn:", with: "").replacing("uuid:", with: "").filter { $0 != "-" && $0 != "{" && $0 != "}" }
        guard digits.utf8.count == 32, let bytes = Hex.bytes(digits) else { return nil }
        return dashed(bytes)
    }
}
