/// The order of names in which numbers count as numbers: `host-2` comes before `host-10`.
///
/// Everything else is compared by its bytes, so the order is the same on every machine.
package struct NaturalOrder: Sendable, Comparable {
    private let bytes: [UInt8]

    package init(_ text: String) { bytes = Array(text.utf8) }

    package static func < (left: Self, right: Self) -> Bool {
        let (one, other) = (left.bytes, right.bytes)
        var (at, to) = (0, 0)
        while at < one.count, to < other.count {
            if isDigit(one[at]), isDigit(other[to]) {
                let (number, next) = digits(of: one, from: at), (second, after) = digits(of: other, from: to)
                if number.count != second.count { return number.count < second.count }
                if number != second { return number.lexicographicallyPrecedes(second) }
                (at, to) = (next, after)
            } else {
                if one[at] != other[to] { return one[at] < other[to] }
                (at, to) = (at + 1, to + 1)
            }
        }
        if at < one.count || to < other.count { return to < other.count }
        // Names that differ only in the zeros before a number are not the same name.
        return one.lexicographicallyPrecedes(other)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    /// Returns the digits of a number without the zeros before it, and the place behind it.
    private static func digits(of bytes: [UInt8], from start: Int) -> (digits: ArraySlice<UInt8>, next: Int) {
        let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
        return (bytes[start..<end].drop { $0 == 48 }, end)
    }
}
