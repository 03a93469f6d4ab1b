package import CloudCore

// Messages about wrong values in the words of JSON Schema. The reference's clients show them and search in them. The
// words are those of Python's library `jsonschema`, with which the reference checks bodies.

extension Mismatch {
    /// Returns the message about the value.
    ///
    /// - Parameter limit: the most characters of the value that the message shows.
    package func schemaWords(limit: Int) -> String {
        let quoted = String(value.quoted.prefix(limit))
        switch fault {
        case .type(let names): return "\(quoted) is not of type \(names.map { "'\($0)'" }.joined(separator: ", "))"
        case .below(let least): return "\(value.shown) is less than the minimum of \(least)"
        case .above(let most): return "\(value.shown) is greater than the maximum of \(most)"
        case .notAbove(let least): return "\(value.shown) is less than or equal to the minimum of \(least)"
        case .tooLarge(let most): return "\(value.shown) is greater than the maximum of \(most)"
        case .notDigits(let pattern): return "\(quoted) does not match '\(pattern)'"
        case .tooFew(_, let range, 0) where range.lowerBound == 1: return "\(quoted) should be non-empty"
        case .tooFew(.members, _, _): return "\(quoted) does not have enough properties"
        case .tooFew: return "\(quoted) is too short"
        case .tooMany(.members, _, _): return "\(quoted) has too many properties"
        case .tooMany: return "\(quoted) is too long"
        case .format(let format): return "\(quoted) \(format.isPattern ? "does not match" : "is not a") '\(format.shown)'"
        case .notOneOf(_, let listed): return "\(quoted) is not one of \(listed)"
        case .duplicates: return "\(quoted) has non-unique elements"
        case .nul: return "\(quoted) has a NUL character"
        case .missing(let name): return "'\(name)' is a required property"
        case .unknown(let names):
            return "Additional properties are not allowed (\(Self.list(names)) \(names.count == 1 ? "was" : "were") unexpected)"
        case .unmatched(let names, let patterns):
            let patterns = patterns.map { "'\($0)'" }.joined(separator: ", ")
            return "\(Self.list(names)) \(names.count == 1 ? "does" : "do") not match any of the regexes: \(patterns)"
        case .noAlternative: return "\(quoted) is not valid under any of the given schemas"
        }
    }

    /// The keyword of JSON Schema that the value breaks.
    package var schemaKeyword: String {
        switch fault {
        case .type: "type"
        case .below: "minimum"
        case .above, .tooLarge: "maximum"
        case .notAbove: "exclusiveMinimum"
        case .notDigits: "pattern"
        case .tooFew(.characters, _, _): "minLength"
        case .tooFew(.elements, _, _): "minItems"
        case .tooFew(.members, _, _): "minProperties"
        case .tooMany(.characters, _, _): "maxLength"
        case .tooMany(.elements, _, _): "maxItems"
        case .tooMany(.members, _, _): "maxProperties"
        case .format(let format): format.isPattern ? "pattern" : "format"
        case .notOneOf: "enum"
        case .duplicates: "uniqueItems"
        case .nul: "pattern"
        case .missing: "required"
        case .unknown, .unmatched: "additionalProperties"
        case .noAlternative: "anyOf"
        }
    }

    /// The path of the value in the schema, from the outermost part inward: `['properties']['total']`.
    package var schemaPlace: String {
        place.reversed().map { step in
            switch step {
            case .member(let name): "['properties']['\(name)']"
            case .matching(let format, _): "['patternProperties']['\(format.shown)']"
            case .element: "['items']"
            }
        }.joined()
    }

    private static func list(_ names: [String]) -> String { names.sorted().map { "'\($0.prefix(255))'" }.joined(separator: ", ") }
}

extension JSON {
    /// The value as Python's messages show it, with strings in single quotes.
    package var quoted: String { if case .string(let value) = self { "'\(value.prefix(1000))'" } else { shown } }

    /// The value as Python's messages show it, with a string without quotes.
    package var shown: String {
        switch self {
        case .null: "None"
        case .bool(let value): value ? "True" : "False"
        case .string(let value): String(value.prefix(1000))
        case .array(let elements): "[\(elements.map(\.quoted).joined(separator: ", "))]"
        case .object(let object): "{\(object.members.map { "'\($0.key)': \($0.value.quoted)" }.joined(separator: ", "))}"
        case .integer, .number: text
        }
    }
}
