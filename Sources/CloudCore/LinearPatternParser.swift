/// A parser for the text of a `LinearPattern`. It reads from left to right, and each scalar a bounded number of times.
struct LinearPatternParser {
    private let text: [Unicode.Scalar]
    private var place = 0
    private var depth = 0
    private(set) var ignoresCase = false

    private static let deepest = 50
    private static let mostTurns = LinearPattern.mostSteps

    typealias Flaw = LinearPattern.Flaw

    init(_ text: String) { self.text = Array(text.unicodeScalars) }

    mutating func parse() throws(Flaw) -> LinearPatternTree {
        if skip("(?i)") { ignoresCase = true }
        let tree = try choice()
        guard place == text.count else { throw Flaw(reason: "a closing parenthesis has no opening one") }
        return tree
    }

    // MARK: The text

    private var next: Unicode.Scalar? { place < text.count ? text[place] : nil }

    private mutating func skip(_ wanted: String) -> Bool {
        let scalars = Array(wanted.unicodeScalars)
        guard text.count - place >= scalars.count, Array(text[place..<(place + scalars.count)]) == scalars else { return false }
        place += scalars.count
        return true
    }

    // MARK: Trees

    private mutating func choice() throws(Flaw) -> LinearPatternTree {
        var parts = [try sequence()]
        while skip("|") { parts.append(try sequence()) }
        return parts.count == 1 ? parts[0] : .choice(parts)
    }

    private mutating func sequence() throws(Flaw) -> LinearPatternTree {
        var parts: [LinearPatternTree] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            let part = try piece()
            parts.append(try repeated(part))
        }
        return .sequence(parts)
    }

    private mutating func piece() throws(Flaw) -> LinearPatternTree {
        guard let scalar = next else { throw Flaw(reason: "it ends too early") }
        place += 1
        switch scalar {
        case "^": return .hold(.start)
        case "$": return .hold(.end)
        case ".": return .read(.any)
        case "(": return try group()
        case "[": return .read(try bracket())
        case "\\": return try escape()
        case "*", "+", "?": throw Flaw(reason: "there is nothing to repeat before '\(scalar)'")
        default: return .read(.one(scalar))
        }
    }

    private mutating func group() throws(Flaw) -> LinearPatternTree {
        depth += 1
        guard depth <= Self.deepest else { throw Flaw(reason: "its groups are too deep") }
        if skip("?P<") || (isNameBehindBracket && skip("?<")) {
            while let scalar = next, LinearPatternClass.isWord(scalar) { place += 1 }
            guard skip(">") else { throw Flaw(reason: "the name of a group does not end") }
        } else if next == "?", !skip("?:") {
            throw Flaw(reason: "look-around, flags and conditions are not supported")
        }
        let tree = try choice()
        guard skip(")") else { throw Flaw(reason: "a group does not end") }
        depth -= 1
        return tree
    }

    /// Whether `?<` begins the name of a group, and not a look-behind.
    private var isNameBehindBracket: Bool {
        place + 2 < text.count && LinearPatternClass.isWord(text[place + 2])
    }

    // MARK: Repetitions

    private mutating func repeated(_ part: LinearPatternTree) throws(Flaw) -> LinearPatternTree {
        let (least, most): (Int, Int?)
        if skip("*") {
            (least, most) = (0, nil)
        } else if skip("+") {
            (least, most) = (1, nil)
        } else if skip("?") {
            (least, most) = (0, 1)
        } else if let bounds = try bounds() {
            (least, most) = bounds
        } else {
            return part
        }
        if case .hold = part { throw Flaw(reason: "an anchor cannot be repeated") }
        // A lazy repetition (`*?`) matches the same texts as a greedy one, so the mark is ignored.
        _ = skip("?")
        let isBounded = try bounds() != nil
        if isBounded || next.map({ ["*", "+", "?"].contains($0) }) == true { throw Flaw(reason: "a repetition is repeated without a group") }
        return .repetition(part, least, most)
    }

    /// Reads `{m}`, `{m,}`, `{,n}` or `{m,n}`. Returns nil if the brace is a literal.
    private mutating func bounds() throws(Flaw) -> (Int, Int?)? {
        let before = place
        guard skip("{") else { return nil }
        let least = number()
        let hasComma = skip(",")
        let most = hasComma ? number() : least
        guard skip("}"), least != nil || most != nil else {
            place = before
            // The brace is a literal and becomes the next piece.
            return nil
        }
        guard (least ?? 0) <= Self.mostTurns, (most ?? 0) <= Self.mostTurns else { throw Flaw(reason: "its repetitions are too large") }
        if let most, most < least ?? 0 { throw Flaw(reason: "the bounds of a repetition are in the wrong order") }
        return (least ?? 0, most)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let scalar = next, ("0"..."9").contains(scalar) {
            value = min((value ?? 0) * 10 + Int(scalar.value - 48), Self.mostTurns + 1)
            place += 1
        }
        return value
    }

    // MARK: Classes

    private mutating func escape() throws(Flaw) -> LinearPatternTree {
        guard let scalar = next else { throw Flaw(reason: "it ends with a backslash") }
        switch scalar {
        case "b", "B":
            place += 1
            return .hold(scalar == "b" ? .wordEdge : .noWordEdge)
        case "A", "Z", "z":
            place += 1
            return .hold(scalar == "A" ? .start : .end)
        default: return .read(LinearPatternClass(ranges: try escaped()))
        }
    }

    /// Returns the scalars for which an escape stands. The backslash has been read.
    private mutating func escaped() throws(Flaw) -> [ClosedRange<UInt32>] {
        guard let scalar = next else { throw Flaw(reason: "it ends with a backslash") }
        place += 1
        switch scalar {
        case "d": return LinearPatternClass.digit.ranges
        case "D": return LinearPatternClass.digit.opposite
        case "s": return LinearPatternClass.space.ranges
        case "S": return LinearPatternClass.space.opposite
        case "w": return LinearPatternClass.word.ranges
        case "W": return LinearPatternClass.word.opposite
        case "t": return [9...9]
        case "n": return [10...10]
        case "r": return [13...13]
        default:
            guard !LinearPatternClass.isWord(scalar) || scalar == "_" else { throw Flaw(reason: "'\\\(scalar)' is not supported") }
            return [scalar.value...scalar.value]
        }
    }

    private mutating func bracket() throws(Flaw) -> LinearPatternClass {
        var found = LinearPatternClass(isNegated: skip("^"))
        var isFirst = true
        while true {
            guard let scalar = next else { throw Flaw(reason: "a class of characters does not end") }
            if scalar == "]", !isFirst { break }
            isFirst = false
            let ranges = try member()
            guard next == "-", place + 1 < text.count, text[place + 1] != "]" else {
                found.ranges += ranges
                continue
            }
            place += 1
            let last = try member()
            guard let from = Self.single(ranges), let to = Self.single(last), from <= to else {
                throw Flaw(reason: "a class of characters has a range that is none")
            }
            found.ranges.append(from...to)
        }
        place += 1
        return found
    }

    /// Returns one scalar of a class, or all scalars for which a name or an escape stands.
    private mutating func member() throws(Flaw) -> [ClosedRange<UInt32>] {
        if skip("\\") { return try escaped() }
        if skip("[:") {
            var name = ""
            while let scalar = next, scalar != ":" {
                name.unicodeScalars.append(scalar)
                place += 1
            }
            guard skip(":]"), let ranges = LinearPatternClass.named[name] else { throw Flaw(reason: "there is no class '\(name)'") }
            return ranges
        }
        guard let scalar = next else { throw Flaw(reason: "a class of characters does not end") }
        place += 1
        return [scalar.value...scalar.value]
    }

    private static func single(_ ranges: [ClosedRange<UInt32>]) -> UInt32? {
        guard let range = ranges.first, ranges.count == 1, range.count == 1 else { return nil }
        return range.lowerBound
    }
}
