package import CloudCore

/// A value that does not fit its shape, with the reason and the place.
package struct Mismatch: Error {
    package enum Fault: Sendable {
        case type([String])
        case below(Int64), above(Int64)
        case notAbove(Double), tooLarge(Double)
        /// A text with other characters than the digits of a whole number; the pattern describes the allowed ones.
        case notDigits(pattern: String)
        /// Fewer, or more, characters, elements or members than allowed.
        case tooFew(Unit, ClosedRange<Int>, count: Int), tooMany(Unit, ClosedRange<Int>, count: Int)
        case format(TextFormat)
        /// A word that is not in the list; `listed` is the list as JSON Schema's messages show it.
        case notOneOf([String], listed: String)
        case duplicates
        case nul
        case missing(String)
        case unknown([String])
        case unmatched([String], patterns: [String])
        case noAlternative
    }
    package enum Unit: Sendable { case characters, elements, members }

    /// A step from a value to a value inside it.
    package enum Step: Sendable {
        case member(String)
        case matching(TextFormat, name: String)
        case element(Int)

        /// The step's part of a path, as messages show it.
        package var name: String {
            switch self {
            case .member(let name), .matching(_, let name): name
            case .element(let position): String(position)
            }
        }
    }

    package let fault: Fault
    package let value: JSON
    /// The steps from the outermost value to this one, the innermost first.
    package private(set) var place: [Step] = []

    func inside(_ step: Step) -> Mismatch {
        var outer = self
        outer.place.append(step)
        return outer
    }
}

/// A comparison of values with shapes, in one minor version of an API.
struct ShapeCheck {
    let minor: Int
    let dialect: Dialect

    /// Returns why the value does not fit the shape, or nil if it fits.
    func mismatch(_ shape: Shape, _ value: JSON) -> Mismatch? {
        func wrong(_ fault: Mismatch.Fault) -> Mismatch { Mismatch(fault: fault, value: value) }
        switch (shape, value) {
        case (.any, _), (.null, .null), (.boolean, .bool), (.truth, .bool), (.nullable, .null): return nil
        case (.nullable(let inner), _):
            guard let found = mismatch(inner, value), found.place.isEmpty, case .type = found.fault else { return mismatch(inner, value) }
            return wrong(.type(shape.typeNames))
        case (.truth, .string(let text)) where Truth(text) != nil: return nil
        case (.truth, .string), (.truth, .integer): return wrong(.notOneOf(Truth.words, listed: Truth.listed))
        case (.integer(let range), .integer(let number)), (.whole(let range), .integer(let number)): return within(range, number, value)
        case (.integer(let range), .number(let number)) where dialect.takesWholeFractions && number == number.rounded() && abs(number) < 9e15:
            return within(range, Int64(number), .integer(Int64(number)))
        case (.whole(let range), .string(let text)): return digits(text, range, value)
        case (.number(let most), .integer(let number)): return within(nil, most, Double(number), value)
        case (.number(let most), .number(let number)): return within(nil, most, number, value)
        case (.numeral(let least, let most), .integer(let number)): return within(least, most, Double(number), value)
        case (.numeral(let least, let most), .number(let number)): return within(least, most, number, value)
        case (.numeral(let least, let most), .string(let text)):
            guard let number = Double(text), text.allSatisfy({ $0.isNumber || $0 == "." }) else {
                return wrong(.notDigits(pattern: "^[0-9]+(\\\\.[0-9]+)?$"))
            }
            return within(least, most, number, value)
        case (.string(let lengths, let format), .string(let text)): return string(text, lengths, format, value)
        case (.oneOf(let words), .string(let text)):
            return words.contains(text) ? nil : wrong(.notOneOf(words, listed: "[\(words.map { "'\($0)'" }.joined(separator: ", "))]"))
        case (.array(let shape, let counts, let unique), .array(let elements)): return array(elements, shape, counts, unique, value)
        case (.object(let members), .object(let object)): return self.object(object, members, value)
        case (.either(let shapes), _): return shapes.contains { mismatch($0, value) == nil } ? nil : wrong(.noAlternative)
        default: return wrong(.type(shape.typeNames))
        }
    }

    private func within(_ range: ClosedRange<Int64>, _ number: Int64, _ value: JSON) -> Mismatch? {
        if number < range.lowerBound { return Mismatch(fault: .below(range.lowerBound), value: value) }
        if number > range.upperBound { return Mismatch(fault: .above(range.upperBound), value: value) }
        return nil
    }

    private func within(_ least: Double?, _ most: Double, _ number: Double, _ value: JSON) -> Mismatch? {
        if let least, number <= least { return Mismatch(fault: .notAbove(least), value: value) }
        return number > most ? Mismatch(fault: .tooLarge(most), value: value) : nil
    }

    private func digits(_ text: String, _ range: ClosedRange<Int64>, _ value: JSON) -> Mismatch? {
        guard !text.isEmpty else { return Mismatch(fault: .tooFew(.characters, 1...Int.max, count: 0), value: value) }
        let isSigned = range.lowerBound < 0
        let digits = isSigned && text.hasPrefix("-") ? text.dropFirst() : Substring(text)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else {
            return Mismatch(fault: .notDigits(pattern: isSigned ? "^-?[0-9]+$" : "^[0-9]*$"), value: value)
        }
        return within(range, Int64(text) ?? .max, value)
    }

    private func string(_ text: String, _ lengths: ClosedRange<Int>, _ format: TextFormat, _ value: JSON) -> Mismatch? {
        if let wrong = count(text.unicodeScalars.count, lengths, .characters, value) { return wrong }
        guard format.allows(text) else { return Mismatch(fault: .format(format), value: value) }
        return dialect.refusesNUL && text.utf8.contains(0) ? Mismatch(fault: .nul, value: value) : nil
    }

    private func count(_ count: Int, _ range: ClosedRange<Int>, _ unit: Mismatch.Unit, _ value: JSON) -> Mismatch? {
        if count < range.lowerBound { return Mismatch(fault: .tooFew(unit, range, count: count), value: value) }
        return count > range.upperBound ? Mismatch(fault: .tooMany(unit, range, count: count), value: value) : nil
    }

    private func array(_ elements: [JSON], _ shape: Shape, _ counts: ClosedRange<Int>, _ unique: Bool, _ value: JSON) -> Mismatch? {
        if let wrong = count(elements.count, counts, .elements, value) { return wrong }
        if unique, Set(elements).count != elements.count { return Mismatch(fault: .duplicates, value: value) }
        for (position, element) in elements.enumerated() {
            if let inner = mismatch(shape, element) { return inner.inside(.element(position)) }
        }
        return nil
    }

    private func object(_ object: JSONObject, _ members: Shape.Members, _ value: JSON) -> Mismatch? {
        let named = members.named.filter { $0.versions.contains(minor) }
        let whole = { missing(object, named, members, value) ?? few(object, members, value) ?? unknown(object, named, members, value) }
        return dialect.checksMembersFirst ? inner(object, named, members) ?? whole() : whole() ?? inner(object, named, members)
    }

    private func inner(_ object: JSONObject, _ named: [Shape.Member], _ members: Shape.Members) -> Mismatch? {
        for member in named {
            if let value = object[member.name], let wrong = mismatch(member.shape, value) { return wrong.inside(.member(member.name)) }
        }
        for (format, shape) in members.matching {
            for (name, value) in object.members where format.allows(name) {
                if let wrong = mismatch(shape, value) { return wrong.inside(.matching(format, name: name)) }
            }
        }
        return nil
    }

    private func missing(_ object: JSONObject, _ named: [Shape.Member], _ members: Shape.Members, _ value: JSON) -> Mismatch? {
        if let missing = named.first(where: { object[$0.name] == nil && $0.requiredSince.map { minor >= $0 } == true }) {
            return Mismatch(fault: .missing(missing.name), value: value)
        }
        let isEnough = members.anyOf.isEmpty || members.anyOf.contains { object[$0] != nil }
        return isEnough ? nil : Mismatch(fault: .noAlternative, value: value)
    }

    private func few(_ object: JSONObject, _ members: Shape.Members, _ value: JSON) -> Mismatch? {
        count(object.count, members.counts, .members, value)
    }

    private func unknown(_ object: JSONObject, _ named: [Shape.Member], _ members: Shape.Members, _ value: JSON) -> Mismatch? {
        guard !members.isOpen else { return nil }
        let names = object.keys.filter { name in
            !named.contains { $0.name == name } && !members.matching.contains { $0.format.allows(name) }
        }
        guard !names.isEmpty else { return nil }
        guard members.matching.isEmpty else {
            return Mismatch(fault: .unmatched(names.sorted(), patterns: members.matching.map(\.format.shown).sorted()), value: value)
        }
        return Mismatch(fault: .unknown(names), value: value)
    }
}
