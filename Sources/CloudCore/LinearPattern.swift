/// A regular expression whose search takes linear time for any expression. Expressions from outside must be of this
/// kind.
///
/// It is compiled into the steps of a finite automaton. A search follows all ways through the automaton at once
/// (Thompson's construction), so it never goes back in the text. A search takes at most the number of steps times the
/// length of the text, and both are bounded.
///
/// The grammar is the common part of POSIX, MySQL and Python: literals, `.`, `[…]`, `|`, `( )`, `(?: )`, `*`, `+`, `?`,
/// `{m,n}` and their lazy forms, `^`, `$`, `\A`, `\Z`, `\b`, `\B`, `\d`, `\w`, `\s` and their opposites, `[:alpha:]`
/// and the other named classes, and `(?i)` at the beginning. Named classes contain only ASCII. Back references and
/// look-around are refused, because they are impossible in linear time.
package struct LinearPattern: Sendable {
    /// The most bytes that a pattern may have.
    package static let longestPattern = Limits.pattern.length.most
    /// The most steps of a pattern, after its repetitions are written out.
    package static let mostSteps = Limits.pattern.steps.most
    /// The most scalars of a text that is searched. A longer text has no match.
    package static let longestText = Limits.pattern.text.most

    /// The reason why a text is not a usable pattern.
    package struct Flaw: Error, Hashable {
        package let reason: String
    }

    /// A state of the automaton.
    enum Step: Sendable {
        /// Reads one scalar of the class and continues with the next step.
        case read(LinearPatternClass)
        /// Continues at both places.
        case fork(Int, Int)
        case jump(Int)
        /// Continues with the next step if the condition holds.
        case hold(Condition)
        case found
    }

    enum Condition: Sendable { case start, end, wordEdge, noWordEdge }

    private let steps: [Step]
    private let ignoresCase: Bool
    /// The same automaton as sets of bits; nil if the pattern has too many steps for it.
    private let bits: LinearPatternBits?

    /// - Throws: `Flaw`.
    package init(_ text: String) throws {
        guard text.utf8.count <= Self.longestPattern else { throw Flaw(reason: "it has more than \(Self.longestPattern) bytes") }
        var parser = LinearPatternParser(text)
        let tree = try parser.parse()
        guard tree.size < Self.mostSteps else { throw Flaw(reason: "its repetitions are too large") }
        var steps: [Step] = []
        tree.append(to: &steps)
        steps.append(.found)
        self.steps = steps
        ignoresCase = parser.ignoresCase
        bits = LinearPatternBits(steps, ignoresCase: parser.ignoresCase)
    }

    /// Returns whether the pattern occurs anywhere in the text.
    package func isFound(in text: String) -> Bool { bits?.isFound(in: text) ?? isFoundByTurns(in: text) }

    /// Returns the same for a pattern with any number of steps.
    func isFoundByTurns(in text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        guard scalars.count <= Self.longestText else { return false }
        var search = Search(steps)
        for place in 0...scalars.count {
            let before = place > 0 ? scalars[place - 1] : nil
            let next = place < scalars.count ? scalars[place] : nil
            // A match may begin at every place.
            if search.follow(0, before, next) { return true }
            guard let next else { return false }
            if search.read(next, ignoresCase, scalars, place + 1) { return true }
        }
        return false
    }

    /// The steps that are reached at one place of the text. Each step is listed once.
    private struct Search {
        private let steps: [Step]
        private var reached: [Int] = []
        /// The turn in which each step was last reached. A turn is one place of the text.
        private var turns: [Int]
        private var turn = 1
        private var open: [Int] = []

        init(_ steps: [Step]) {
            self.steps = steps
            turns = Array(repeating: 0, count: steps.count)
        }

        /// Reaches a step, and all steps that follow it without reading a scalar.
        ///
        /// - Returns: whether the end of the pattern is among them.
        mutating func follow(_ first: Int, _ before: Unicode.Scalar?, _ next: Unicode.Scalar?) -> Bool {
            open.append(first)
            while let step = open.popLast() {
                guard turns[step] != turn else { continue }
                turns[step] = turn
                switch steps[step] {
                case .read: reached.append(step)
                case .jump(let target): open.append(target)
                case .fork(let one, let other):
                    open.append(other)
                    open.append(one)
                case .hold(let condition):
                    if Self.holds(condition, before, next) { open.append(step + 1) }
                case .found:
                    open.removeAll(keepingCapacity: true)
                    return true
                }
            }
            return false
        }

        /// Reads a scalar in all reached steps and continues after those that accept it. Returns whether the end of the
        /// pattern is reached.
        ///
        /// - Parameter place: the place in the text after the scalar.
        mutating func read(_ scalar: Unicode.Scalar, _ ignoresCase: Bool, _ text: [Unicode.Scalar], _ place: Int) -> Bool {
            let here = reached
            reached.removeAll(keepingCapacity: true)
            turn += 1
            let next = place < text.count ? text[place] : nil
            for step in here {
                guard case .read(let wanted) = steps[step], wanted.has(scalar, ignoresCase) else { continue }
                if follow(step + 1, scalar, next) { return true }
            }
            return false
        }

        private static func holds(_ condition: Condition, _ before: Unicode.Scalar?, _ next: Unicode.Scalar?) -> Bool {
            let isEdge = (before.map(LinearPatternClass.isWord) ?? false) != (next.map(LinearPatternClass.isWord) ?? false)
            return switch condition {
            case .start: before == nil
            case .end: next == nil
            case .wordEdge: isEdge
            case .noWordEdge: !isEdge
            }
        }
    }
}

/// The set of scalars that one place of a pattern accepts.
struct LinearPatternClass: Sendable {
    var ranges: [ClosedRange<UInt32>] = []
    var isNegated = false

    static func one(_ scalar: Unicode.Scalar) -> Self { Self(ranges: [scalar.value...scalar.value]) }

    static let any = Self(ranges: [10...10], isNegated: true)
    static let digit = Self(ranges: [48...57])
    static let space = Self(ranges: [9...13, 32...32])
    static let word = Self(ranges: [48...57, 65...90, 95...95, 97...122])

    /// The POSIX classes by the names that stand between `[:` and `:]`.
    static let named: [String: [ClosedRange<UInt32>]] = [
        "alpha": [65...90, 97...122], "digit": [48...57], "alnum": [48...57, 65...90, 97...122], "upper": [65...90], "lower": [97...122],
        "space": [9...13, 32...32], "blank": [9...9, 32...32], "punct": [33...47, 58...64, 91...96, 123...126],
        "xdigit": [48...57, 65...70, 97...102], "word": [48...57, 65...90, 95...95, 97...122],
    ]

    static func isWord(_ scalar: Unicode.Scalar) -> Bool { word.lies(scalar.value) }

    /// The ranges of all scalars that are not in the class.
    var opposite: [ClosedRange<UInt32>] {
        var rest: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { rest.append(next...(range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        return rest + [next...0x10ffff]
    }

    func has(_ scalar: Unicode.Scalar, _ ignoresCase: Bool) -> Bool {
        (lies(scalar.value) || (ignoresCase && Self.otherCases(scalar).contains(where: lies))) != isNegated
    }

    /// Returns the same letter in the other case.
    private static func otherCases(_ scalar: Unicode.Scalar) -> [UInt32] {
        if scalar.isASCII { return scalar.properties.isAlphabetic ? [scalar.value ^ 0x20] : [] }
        return [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping].compactMap { text in
            text.unicodeScalars.count == 1 ? text.unicodeScalars.first?.value : nil
        }
    }

    private func lies(_ value: UInt32) -> Bool { ranges.contains { $0.contains(value) } }
}

/// The syntax tree of a pattern.
indirect enum LinearPatternTree: Sendable {
    case read(LinearPatternClass)
    case hold(LinearPattern.Condition)
    case sequence([LinearPatternTree])
    case choice([LinearPatternTree])
    /// A part that is repeated: the least and the most times; nil for no upper bound.
    case repetition(LinearPatternTree, Int, Int?)

    /// The number of steps, cut off at `LinearPattern.mostSteps`.
    var size: Int {
        switch self {
        case .read, .hold: return 1
        case .sequence(let parts): return parts.reduce(0) { min($0 + $1.size, LinearPattern.mostSteps) }
        case .choice(let parts): return parts.reduce(0) { min($0 + $1.size + 2, LinearPattern.mostSteps) }
        case .repetition(let part, let least, let most):
            // Each turn counts, also one of an empty part, because it costs time to write it out.
            let each = max(part.size, 1)
            let written = least * each + (most.map { max(0, $0 - least) * (each + 1) } ?? each + 2)
            return min(written, LinearPattern.mostSteps)
        }
    }

    func append(to steps: inout [LinearPattern.Step]) {
        switch self {
        case .read(let wanted): steps.append(.read(wanted))
        case .hold(let condition): steps.append(.hold(condition))
        case .sequence(let parts): for part in parts { part.append(to: &steps) }
        case .choice(let parts): Self.append(choice: parts, to: &steps)
        case .repetition(let part, let least, let most):
            for _ in 0..<least { part.append(to: &steps) }
            if let most {
                var forks: [Int] = []
                for _ in least..<max(least, most) {
                    forks.append(steps.count)
                    steps.append(.jump(0))
                    part.append(to: &steps)
                }
                for fork in forks { steps[fork] = .fork(fork + 1, steps.count) }
            } else {
                let fork = steps.count
                steps.append(.jump(0))
                part.append(to: &steps)
                steps.append(.jump(fork))
                steps[fork] = .fork(fork + 1, steps.count)
            }
        }
    }

    private static func append(choice parts: [LinearPatternTree], to steps: inout [LinearPattern.Step]) {
        var ends: [Int] = []
        for (place, part) in parts.enumerated() {
            guard place < parts.count - 1 else {
                part.append(to: &steps)
                break
            }
            let fork = steps.count
            steps.append(.jump(0))
            part.append(to: &steps)
            ends.append(steps.count)
            steps.append(.jump(0))
            steps[fork] = .fork(fork + 1, steps.count)
        }
        for end in ends { steps[end] = .jump(steps.count) }
    }
}
