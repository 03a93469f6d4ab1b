/// The automaton of a pattern with few steps. A set of steps is one number with a bit for each step, so a search of a
/// text takes a few nanoseconds for each scalar. A list that looks at very many names needs that.
struct LinearPatternBits: Sendable {
    /// The situation of a place in a text, which the conditions of a pattern ask for.
    private struct Situation: OptionSet {
        let rawValue: Int

        static let start = Self(rawValue: 1)
        static let end = Self(rawValue: 2)
        static let wordEdge = Self(rawValue: 4)
        static let count = 8

        func holds(_ condition: LinearPattern.Condition) -> Bool {
            switch condition {
            case .start: contains(.start)
            case .end: contains(.end)
            case .wordEdge: contains(.wordEdge)
            case .noWordEdge: !contains(.wordEdge)
            }
        }
    }

    private static let asciiCount: UInt32 = 128

    private let steps: [LinearPattern.Step]
    private let ignoresCase: Bool
    /// For each situation and step: the reading steps, and the end of the pattern, that follow it without a scalar.
    private let reached: [UInt64]
    /// For each ASCII scalar: the steps that read it.
    private let readers: [UInt64]

    /// Makes the tables. Returns nil if the pattern has too many steps.
    init?(_ steps: [LinearPattern.Step], ignoresCase: Bool) {
        guard steps.count <= UInt64.bitWidth else { return nil }
        self.steps = steps
        self.ignoresCase = ignoresCase
        reached = (0..<Situation.count).flatMap { situation in
            steps.indices.map { Self.reached(from: $0, in: Situation(rawValue: situation), steps) }
        }
        readers = (0..<Self.asciiCount).compactMap(Unicode.Scalar.init).map {
            Self.readers(of: $0, steps, ignoresCase)
        }
    }

    private static func reached(from first: Int, in situation: Situation, _ steps: [LinearPattern.Step]) -> UInt64 {
        var (found, seen, open) = (UInt64(0), UInt64(0), [first])
        while let step = open.popLast() {
            guard seen & 1 << step == 0 else { continue }
            seen |= 1 << step
            switch steps[step] {
            case .read, .found: found |= 1 << step
            case .jump(let target): open.append(target)
            case .fork(let one, let other): open += [one, other]
            case .hold(let condition): if situation.holds(condition) { open.append(step + 1) }
            }
        }
        return found
    }

    private static func readers(
        of scalar: Unicode.Scalar, _ steps: [LinearPattern.Step], _ ignoresCase: Bool
    ) -> UInt64 {
        steps.enumerated().reduce(0) { bits, step in
            guard case .read(let wanted) = step.element, wanted.has(scalar, ignoresCase) else { return bits }
            return bits | 1 << step.offset
        }
    }

    /// Returns whether the pattern occurs anywhere in the text.
    func isFound(in text: String) -> Bool {
        var text = text
        let inASCII: Bool? = text.withUTF8 { bytes in
            guard bytes.allSatisfy({ $0 < Self.asciiCount }) else { return nil }
            return bytes.count <= LinearPattern.longestText && isFound(in: bytes.lazy.map(Unicode.Scalar.init))
        }
        if let inASCII { return inASCII }
        let scalars = Array(text.unicodeScalars)
        return scalars.count <= LinearPattern.longestText && isFound(in: scalars)
    }

    private func isFound(in text: some Sequence<Unicode.Scalar>) -> Bool {
        let end: UInt64 = 1 << (steps.count - 1)
        var scalars = text.makeIterator()
        var next = scalars.next()
        // A match may begin at every place.
        var open: UInt64 = 1
        var (isStart, isAfterWord) = (true, false)
        while true {
            let isBeforeWord = next.map(LinearPatternClass.isWord) ?? false
            var situation: Situation = isStart ? .start : []
            if next == nil { situation.insert(.end) }
            if isAfterWord != isBeforeWord { situation.insert(.wordEdge) }
            var here: UInt64 = 0
            while open != 0 {
                here |= reached[situation.rawValue * steps.count + open.trailingZeroBitCount]
                open &= open - 1
            }
            if here & end != 0 { return true }
            guard let scalar = next else { return false }
            let reading =
                scalar.value < Self.asciiCount
                ? readers[Int(scalar.value)] : Self.readers(of: scalar, steps, ignoresCase)
            // Each reading step is followed by the next one.
            open = (here & reading) << 1 | 1
            (isStart, isAfterWord) = (false, isBeforeWord)
            next = scalars.next()
        }
    }
}
