/// The path of an access rule. `{name}` and `*` stand for one or more characters without a slash, `**` for any
/// characters.
///
/// The syntax is that of keystonemiddleware. The path is read once, and all places of the pattern that are possible at
/// each character are followed. The cost is at most the length of the pattern times the length of the path.
struct PathPattern {
    private enum Part {
        case byte(UInt8)
        /// One character that is not a slash.
        case one
        /// Any number of characters that are not slashes.
        case more
        /// Any number of any characters.
        case rest
    }

    /// The longest path that is compared, in bytes. A longer path matches nothing.
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

    /// Reaches a place, and the places after it that may stand for no character.
    private func reach(_ first: Int, _ places: inout Places) {
        for place in first...parts.count {
            guard places.insert(place), place < parts.count else { return }
            switch parts[place] {
            case .more, .rest: continue
            case .byte, .one: return
            }
        }
    }

    /// A set of places in the pattern.
    private struct Places {
        private(set) var reached: [Int] = []
        private var isReached: [Bool]

        init(count: Int) { isReached = Array(repeating: false, count: count) }

        func has(_ place: Int) -> Bool { isReached[place] }

        /// - Returns: whether the place is new in the set.
        mutating func insert(_ place: Int) -> Bool {
            guard !isReached[place] else { return false }
            isReached[place] = true
            reached.append(place)
            return true
        }
    }
}
