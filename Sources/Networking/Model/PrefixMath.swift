import CloudCore

/// Operations on sets of prefixes.
enum PrefixMath {
    /// Returns the fewest prefixes that cover the same addresses, in order.
    static func compact(_ prefixes: [IPPrefix]) -> [IPPrefix] {
        var sorted: [IPPrefix] = []
        // In this order only the last prefix can contain the next one.
        for prefix in prefixes.sorted(by: { ($0.first, $0.length) < ($1.first, $1.length) }) {
            if let last = sorted.last, last.contains(prefix) { continue }
            sorted.append(prefix)
            // Two halves merge into one prefix, which may itself be a half.
            while sorted.count > 1 {
                let (left, right) = (sorted[sorted.count - 2], sorted[sorted.count - 1])
                guard left.length == right.length, left.length > 0 else { break }
                let whole = IPPrefix(left.first, left.length - 1)
                guard whole.first == left.first, whole.contains(right) else { break }
                sorted.removeLast(2)
                sorted.append(whole)
            }
        }
        return sorted
    }

    /// Tells whether two of the prefixes have an address in common. In sorted order, comparing neighbours is enough.
    static func haveOverlap(_ prefixes: [IPPrefix]) -> Bool {
        let sorted = prefixes.sorted { ($0.first, $0.length) < ($1.first, $1.length) }
        return zip(sorted, sorted.dropFirst()).contains { $0.overlaps($1) }
    }

    /// Returns the lowest prefix of the length that lies in one of the prefixes and overlaps no taken one.
    static func firstFree(of length: Int, in prefixes: [IPPrefix], without taken: [IPPrefix]) -> IPPrefix? {
        let taken = taken.sorted { $0.first < $1.first }
        for prefix in prefixes.sorted(by: { $0.first < $1.first }) where prefix.length <= length {
            var candidate = IPPrefix(prefix.first, length)
            for other in taken where other.overlaps(candidate) {
                // Continue behind the obstacle, at the next address where a prefix of this length may begin.
                let size = UInt128(1) << UInt128(candidate.version.bits - length)
                let (next, overflow) = max(other.last, candidate.last).value.addingReportingOverflow(1)
                guard !overflow, next <= prefix.last.value else { break }
                let (up, tooFar) = next.addingReportingOverflow(size - 1)
                guard !tooFar else { break }
                candidate = IPPrefix(IPAddress(candidate.version, up / size * size), length)
            }
            if prefix.contains(candidate), !taken.contains(where: { $0.overlaps(candidate) }) { return candidate }
        }
        return nil
    }

    /// Returns how much a prefix counts against a quota: its addresses for IPv4, its /64 networks for IPv6.
    static func weight(_ prefix: IPPrefix) -> Double {
        let unit = prefix.version == .v4 ? 32 : 64
        return prefix.length >= unit ? 1 : Double(sign: .plus, exponent: unit - prefix.length, significand: 1)
    }
}
