/// Numbers in place of repeated values: names, and sets of what providers have. No value is ever removed; an index with
/// too many unused values is rebuilt.
struct Numbering<Value: Hashable & Sendable>: Sendable {
    private(set) var values: [Value] = []
    private var numbers: [Value: Int32] = [:]

    subscript(_ number: Int32) -> Value { values[Int(number)] }

    func find(_ value: Value) -> Int32? { numbers[value] }

    mutating func number(of value: Value) -> Int32 {
        if let number = numbers[value] { return number }
        let number = Int32(values.count)
        values.append(value)
        numbers[value] = number
        return number
    }
}

/// A set of small numbers.
struct BitSet: Sendable, Hashable {
    private var words: [UInt64] = []

    var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    mutating func insert(_ number: Int32) {
        while words.count <= number >> 6 { words.append(0) }
        words[Int(number >> 6)] |= 1 << UInt64(number & 63)
    }

    func meets(_ other: BitSet) -> Bool {
        for at in 0..<min(words.count, other.words.count) where words[at] & other.words[at] != 0 { return true }
        return false
    }

    mutating func formUnion(_ other: BitSet) {
        while words.count < other.words.count { words.append(0) }
        for (at, word) in other.words.enumerated() { words[at] |= word }
    }
}
