/// A regular expression whose time is linear in the text, whatever the expression is: the only kind that foreign text may be.
///
/// It is compiled into steps of a finite automaton, and a search follows all ways through them at once (Thompson's construction), so it
/// never goes back in the text. A search takes at most the number of steps times the length of the text. Both have a bound.
///
/// The grammar is what POSIX, MySQL and Python have in common: literals, `.`, `[…]`, `|`, `( )`, `(?: )`, `*`, `+`, `?`, `{m,n}` and their
/// lazy forms, `^`, `$`, `\A`, `\Z`, `\b`, `\B`, `\d`, `\w`, `\s` and their opposites, `[:alpha:]` and the other named classes, and `(?i)` at
/// the beginning. Named classes are of ASCII. Back references and look-around cannot be had in linear time and are refused.
package struct LinearPattern: Sendable {
    /// The most bytes that a pattern may have.
    package static let longestPattern = 255
    /// The most steps that a pattern may have after its repetitions are written out.
    package static let mostSteps = 512
    /// The most scalars of a text in which a pattern is looked for. A longer text has no match.
    package static let longestText = 65_536

    /// The reason why a text is no pattern that can be used.
    package struct Flaw: Error, Hashable {
        package let reason: String
    }

    /// One state of the automaton.
    enum Step: Sendable {
        /// Reads one scalar of the class and goes on to the next step.
        case read(LinearPatternClass)
        /// Goes on at both places.
        case fork(Int, Int)
        case jump(Int)
        /// Goes on to the next step where the condition holds.
        case hold(Condition)
        case found
    }

    enum Condition: Sendable { case start, end, wordEdge, noWordEdge }

    private let steps: [Step]
    private let ignoresCase: Bool

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
    }

    /// Tells whether the pattern occurs anywhere in the text.
    package func isFound(in text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        guard scalars.count <= Self.longestText else { return false }
        var search = Search(steps)
        for place in 0...scalars.count {
            let before = place > 0 ? scalars[place - 1] : nil
            let next = place < scalars.count ? scalars[place] : nil
            // A match may begin at each place.
            if search.follow(0, before, next) { return true }
            guard let next else { return false }
            if search.read(next, ignoresCase, scalars, place + 1) { return true }
        }
        return false
    }

    /// The steps that are reached at one place of the text, each once.
    private struct Search {
        private let steps: [Step]
        private var reached: [Int] = []
        /// The turn in which each step was last reached.
        private var turns: [Int]
        private var turn = 1
        private var open: [Int] = []

        init(_ steps: [Step]) {
            self.steps = steps
            turns = Array(repeating: 0, count: steps.count)
        }

        /// Reaches a step, and all that follow it without reading.
        ///
        /// - Returns: whether the end is among them.
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

        /// Goes on behind a scalar from every step that reads it.
        ///
        /// - Parameter place: the place in the text behind the scalar.
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

/// Which scalars a place of a pattern takes.
struct LinearPatternClass: Sendable {
    var ranges: [ClosedRange<UInt32>] = []
    var isNegated = false

    static func one(_ scalar: Unicode.Scalar) -> Self { Self(ranges: [scalar.value...scalar.value]) }

    static let any = Self(ranges: [10...10], isNegated: true)
    static let digit = Self(ranges: [48...57])
    static let space = Self(ranges: [9...13, 32...32])
    static let word = Self(ranges: [48...57, 65...90, 95...95, 97...122])

    /// The classes of POSIX, by their names between `[:` and `:]`.
    static let named: [String: [ClosedRange<UInt32>]] = [
        "alpha": [65...90, 97...122], "digit": [48...57], "alnum": [48...57, 65...90, 97...122], "upper": [65...90], "lower": [97...122],
        "space": [9...13, 32...32], "blank": [9...9, 32...32], "punct": [33...47, 58...64, 91...96, 123...126],
        "xdigit": [48...57, 65...70, 97...102], "word": [48...57, 65...90, 95...95, 97...122],
    ]

    static func isWord(_ scalar: Unicode.Scalar) -> Bool { word.lies(scalar.value) }

    /// The same class without its members, and with all others.
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

    /// The same letter in the other case.
    private static func otherCases(_ scalar: Unicode.Scalar) -> [UInt32] {
        if scalar.isASCII { return scalar.properties.isAlphabetic ? [scalar.value ^ 0x20] : [] }
        return [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping].compactMap { text in
            text.unicodeScalars.count == 1 ? text.unicodeScalars.first?.value : nil
        }
    }

    private func lies(_ value: UInt32) -> Bool { ranges.contains { $0.contains(value) } }
}

/// A pattern that was read and is not yet steps.
indirect enum LinearPatternTree: Sendable {
    case read(LinearPatternClass)
    case hold(LinearPattern.Condition)
    case sequence([LinearPatternTree])
    case choice([LinearPatternTree])
    /// At least so often, and at most so often; nil for without an end.
    case repetition(LinearPatternTree, Int, Int?)

    /// The number of steps, or so many that there are too many.
    var size: Int {
        switch self {
        case .read, .hold: return 1
        case .sequence(let parts): return parts.reduce(0) { min($0 + $1.size, LinearPattern.mostSteps) }
        case .choice(let parts): return parts.reduce(0) { min($0 + $1.size + 2, LinearPattern.mostSteps) }
        case .repetition(let part, let least, let most):
            // Each turn counts, also one that is empty: it costs time to write out.
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
