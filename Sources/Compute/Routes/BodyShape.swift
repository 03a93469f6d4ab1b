import CloudCore

/// What a JSON value of a body, or a value of a query, must look like. What is wrong is told in the reference's words, which
/// are those of JSON Schema: clients show them, and tests of clients look for them.
indirect enum BodyShape: Sendable {
    case any
    /// True and false, and the words for them.
    case boolean
    /// Only true and false.
    case plainBoolean
    /// Also as text of digits where `orText`.
    case integer(ClosedRange<Int64>, orText: Bool = true)
    case number(above: Double, most: Double)
    case text(ClosedRange<Int> = 0...Int.max, Format = .any)
    case word(of: [String])
    case uuid
    case list(BodyShape, ClosedRange<Int> = 0...Int.max, unique: Bool = false)
    case object(Members)
    /// Names of a format, each with a value.
    case map(Format, BodyShape, ClosedRange<Int> = 0...Int.max)
    case null(or: BodyShape)
    case either([BodyShape])
    case nothing

    struct Members: Sendable {
        var named: [(name: String, shape: BodyShape)] = []
        var required: [String] = []
        /// Whether there may be others.
        var isOpen = false
        /// One of these at least.
        var anyOf: [String] = []
    }

    static func object(
        _ named: [(String, BodyShape)], required: [String] = [], open: Bool = false, anyOf: [String] = []
    ) -> BodyShape {
        .object(Members(named: named.map { (name: $0.0, shape: $0.1) }, required: required, isOpen: open, anyOf: anyOf))
    }

    /// The body that has one member, which has the members given.
    static func envelope(
        _ name: String, _ named: [(String, BodyShape)], required: [String] = [], open: Bool = false, anyOf: [String] = []
    ) -> BodyShape {
        .object([(name, .object(named, required: required, open: open, anyOf: anyOf))], required: [name])
    }

    struct Failure: Error {
        let what: String
        let value: JSON
        /// The innermost first.
        var place: [String] = []

        func inside(_ name: String) -> Failure { Failure(what: what, value: value, place: place + [name]) }
    }

    /// - Throws: `CloudError.badRequest`.
    func check(_ value: JSON) throws {
        do {
            try verify(value)
        } catch let failure as Failure {
            throw failure.place.first.map { Self.wrong($0, failure.value, failure.what) } ?? CloudError.badRequest(failure.what)
        }
    }

    static func wrong(_ place: String, _ value: JSON, _ what: String) -> CloudError {
        .badRequest("Invalid input for field/attribute \(place). Value: \(value.shown). \(what)")
    }

    private func fail(_ value: JSON, _ what: String) -> Failure { Failure(what: "\(value.quoted) \(what)", value: value) }

    func verify(_ value: JSON) throws {
        switch (self, value) {
        case (.any, _), (.plainBoolean, .bool), (.boolean, .bool), (.null, .null), (.nothing, .null): return
        case (.null(let shape), _): try shape.verify(value)
        case (.boolean, .string(let text)) where Truth(text) != nil: return
        case (.boolean, .string), (.boolean, .integer): throw fail(value, "is not one of \(Truth.all)")
        case (.integer(let range, _), .integer(let number)): try Self.within(range, number, value)
        case (.integer(let range, orText: true), .string(let text)):
            guard !text.isEmpty else { throw fail(value, "is too short") }
            guard Self.isInteger(text, negative: range.lowerBound < 0) else {
                throw fail(value, "does not match '\(range.lowerBound < 0 ? "^-?[0-9]+$" : "^[0-9]*$")'")
            }
            try Self.within(range, Int64(text) ?? .max, value)
        case (.number(let least, let most), .integer(let number)): try Self.within(least, most, Double(number), value)
        case (.number(let least, let most), .number(let number)): try Self.within(least, most, number, value)
        case (.number(let least, let most), .string(let text)):
            guard let number = Double(text), text.allSatisfy({ $0.isNumber || $0 == "." }) else {
                throw fail(value, "does not match '^[0-9]+(\\\\.[0-9]+)?$'")
            }
            try Self.within(least, most, number, value)
        case (.text(let lengths, let format), .string(let text)): try Self.text(text, lengths, format)
        case (.word(let words), .string(let text)):
            guard words.contains(text) else { throw fail(value, "is not one of [\(words.map { "'\($0)'" }.joined(separator: ", "))]") }
        case (.uuid, .string(let text)):
            guard UUIDText.isUUID(text) else { throw fail(value, "is not a 'uuid'") }
        case (.list(let shape, let counts, let unique), .array(let elements)):
            try Self.list(elements, shape, counts, unique, value)
        case (.map(let format, let shape, let counts), .object(let object)): try Self.map(object, format, shape, counts, value)
        case (.object(let members), .object(let object)): try Self.object(object, members, value)
        case (.either(let shapes), _):
            for shape in shapes {
                do {
                    return try shape.verify(value)
                } catch is Failure {
                    continue
                }
            }
            throw fail(value, "is not valid under any of the given schemas")
        default: throw fail(value, "is not of type \(typeNames)")
        }
    }

    private static func within(_ range: ClosedRange<Int64>, _ number: Int64, _ value: JSON) throws {
        if number < range.lowerBound { throw Failure(what: "\(value.shown) is less than the minimum of \(range.lowerBound)", value: value) }
        if number > range.upperBound { throw Failure(what: "\(value.shown) is greater than the maximum of \(range.upperBound)", value: value) }
    }

    private static func within(_ least: Double, _ most: Double, _ number: Double, _ value: JSON) throws {
        if number <= least {
            throw Failure(what: "\(value.shown) is less than or equal to the minimum of \(least)", value: value)
        }
        if number > most { throw Failure(what: "\(value.shown) is greater than the maximum of \(most)", value: value) }
    }

    private static func isInteger(_ text: String, negative: Bool) -> Bool {
        let digits = negative && text.hasPrefix("-") ? text.dropFirst() : Substring(text)
        return !digits.isEmpty && digits.utf8.allSatisfy { $0 >= 48 && $0 <= 57 }
    }

    private static func text(_ text: String, _ lengths: ClosedRange<Int>, _ format: Format) throws {
        let value = JSON.string(text)
        let count = text.unicodeScalars.count
        if count < lengths.lowerBound { throw Failure(what: "\(value.quoted) \(count == 0 ? "should be non-empty" : "is too short")", value: value) }
        if count > lengths.upperBound { throw Failure(what: "\(value.quoted) is too long", value: value) }
        guard format.allows(text) else { throw Failure(what: "\(value.quoted) \(format.complaint)", value: value) }
    }

    private static func list(
        _ elements: [JSON], _ shape: BodyShape, _ counts: ClosedRange<Int>, _ unique: Bool, _ value: JSON
    ) throws {
        if elements.count < counts.lowerBound {
            throw Failure(what: "\(value.quoted) \(elements.isEmpty ? "should be non-empty" : "is too short")", value: value)
        }
        if elements.count > counts.upperBound { throw Failure(what: "\(value.quoted) is too long", value: value) }
        if unique, Set(elements).count != elements.count { throw Failure(what: "\(value.quoted) has non-unique elements", value: value) }
        for (position, element) in elements.enumerated() {
            do {
                try shape.verify(element)
            } catch let failure as Failure {
                throw failure.inside("\(position)")
            }
        }
    }

    private static func map(
        _ object: JSONObject, _ format: Format, _ shape: BodyShape, _ counts: ClosedRange<Int>, _ value: JSON
    ) throws {
        if let wrong = object.keys.first(where: { !format.allows($0) }) {
            throw Failure(
                what: "'\(wrong.prefix(300))' does not match any of the regexes: '\(format.pattern)'", value: value)
        }
        if object.count < counts.lowerBound { throw Failure(what: "\(value.quoted) should be non-empty", value: value) }
        if object.count > counts.upperBound { throw Failure(what: "\(value.quoted) has too many properties", value: value) }
        for (key, value) in object.members {
            do {
                try shape.verify(value)
            } catch let failure as Failure {
                throw failure.inside(key)
            }
        }
    }

    private static func object(_ object: JSONObject, _ members: Members, _ value: JSON) throws {
        for (name, shape) in members.named {
            guard let value = object[name] else { continue }
            do {
                try shape.verify(value)
            } catch let failure as Failure {
                throw failure.inside(name)
            }
        }
        if let missing = members.required.first(where: { object[$0] == nil }) {
            throw Failure(what: "'\(missing)' is a required property", value: value)
        }
        if !members.anyOf.isEmpty, !members.anyOf.contains(where: { object[$0] != nil }) {
            throw Failure(what: "\(value.quoted) is not valid under any of the given schemas", value: value)
        }
        let unknown = object.keys.filter { key in !members.named.contains { $0.name == key } }
        if !members.isOpen, !unknown.isEmpty {
            let names = unknown.sorted().map { "'\($0.prefix(255))'" }.joined(separator: ", ")
            throw Failure(
                what: "Additional properties are not allowed (\(names) \(unknown.count == 1 ? "was" : "were") unexpected)", value: value)
        }
    }

    private var typeNames: String {
        switch self {
        case .any, .either: "'any'"
        case .boolean: "'boolean', 'string'"
        case .plainBoolean: "'boolean'"
        case .integer(_, let orText): orText ? "'integer', 'string'" : "'integer'"
        case .number: "'number', 'string'"
        case .text, .word, .uuid: "'string'"
        case .list: "'array'"
        case .object, .map: "'object'"
        case .null(let shape): "\(shape.typeNames), 'null'"
        case .nothing: "'null'"
        }
    }
}

/// The words of a truth value.
struct Truth {
    let value: Bool

    private static let yes: Set<String> = ["True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes"]
    private static let no: Set<String> = ["False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no"]
    static let all =
        "[True, 'True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes', False, 'False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no']"

    /// As bodies have it.
    init?(_ text: String) {
        if Self.yes.contains(text) { value = true } else if Self.no.contains(text) { value = false } else { return nil }
    }

    /// As queries have it: also `t`, `y`, in either case.
    static func strict(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "t", "true", "on", "y", "yes", "1": true
        case "f", "false", "off", "n", "no", "0": false
        default: nil
        }
    }
}

extension JSON {
    /// The value as messages show it, with strings in single quotes.
    var quoted: String { if case .string(let value) = self { "'\(value.prefix(1000))'" } else { shown } }

    /// The same, but a string without quotes.
    var shown: String {
        switch self {
        case .null: "None"
        case .bool(let value): value ? "True" : "False"
        case .string(let value): String(value.prefix(1000))
        case .array(let elements): "[\(elements.map(\.quoted).joined(separator: ", "))]"
        case .object(let object): "{\(object.members.map { "'\($0.key)': \($0.value.quoted)" }.joined(separator: ", "))}"
        case .integer, .number: text
        }
    }

    /// A truth value that a shape has let through.
    var truth: Bool? { bool ?? string.flatMap { Truth($0)?.value } }

    /// A whole number that a shape has let through, as a number or as digits. Digits that are too many are the largest number.
    var whole: Int? {
        switch self {
        case .integer(let value): Int(value)
        case .string(let text): Int(text) ?? (text.hasPrefix("-") ? .min : .max)
        default: nil
        }
    }
}

extension UUIDText {
    /// With or without dashes, in either case.
    static func isUUID(_ text: String) -> Bool {
        let digits = text.filter { $0 != "-" }
        return digits.utf8.count == 32 && Hex.bytes(digits) != nil
    }
}
