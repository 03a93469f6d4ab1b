/// The path of an access rule: `{name}` and `*` stand for one character or more without a slash, `**` for any characters.
///
/// It is read as keystonemiddleware reads it. The path is gone through once, with all places of the pattern that it may have come to: what it
/// costs is at most the length of one times the length of the other, whatever the stars.
struct PathPattern {
    private enum Part {
        case byte(UInt8)
        /// One character that is no slash.
        case one
        /// Any number of characters that are no slash.
        case more
        /// Any number of characters.
        case rest
    }

    /// The longest path that is looked at, in bytes. A longer one matches nothing.
    static let longestPath = 4096

    private var parts: [Part] = []

    init(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "*"):
                if bytes.first == byte {
                    bytes.removeFirst()
                    parts.append(.rest)
                } else {
                    parts += [.one, .more]
                }
            case UInt8(ascii: "{"):
                guard let end = bytes.firstIndex(of: UInt8(ascii: "}")) else {
                    parts.append(.byte(byte))
                    continue
                }
                bytes = bytes[(end + 1)...]
                parts += [.one, .more]
            default: parts.append(.byte(byte))
            }
        }
    }

    func matches(_ path: String) -> Bool {
        guard path.utf8.count <= Self.longestPath else { return false }
        var places = Places(count: parts.count + 1)
        reach(0, &places)
        for byte in path.utf8 {
            var next = Places(count: parts.count + 1)
            for place in places.reached where place < parts.count {
                switch parts[place] {
                case .byte(let wanted): if byte == wanted { reach(place + 1, &next) }
                case .one: if byte != UInt8(ascii: "/") { reach(place + 1, &next) }
                case .more: if byte != UInt8(ascii: "/") { reach(place, &next) }
                case .rest: reach(place, &next)
                }
            }
            guard !next.reached.isEmpty else { return false }
            places = next
        }
        return places.has(parts.count)
    }

    /// Reaches a place, and those behind it that nothing need stand for.
    private func reach(_ first: Int, _ places: inout Places) {
        for place in first...parts.count {
            guard places.insert(place), place < parts.count else { return }
            switch parts[place] {
            case .more, .rest: continue
            case .byte, .one: return
            }
        }
    }

    /// Places of the pattern, each once.
    private struct Places {
        private(set) var reached: [Int] = []
        private var isReached: [Bool]

        init(count: Int) { isReached = Array(repeating: false, count: count) }

        func has(_ place: Int) -> Bool { isReached[place] }

        /// - Returns: whether it was not there before.
        mutating func insert(_ place: Int) -> Bool {
            guard !isReached[place] else { return false }
            isReached[place] = true
            reached.append(place)
            return true
        }
    }
}
