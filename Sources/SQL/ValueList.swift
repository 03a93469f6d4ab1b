/// A list of values in a condition, such as `id IN (?, ?)`.
package enum ValueList {
    /// Returns the lists for any number of values, each with its arguments; none for no values.
    ///
    /// Lists come in a few sizes only, because each size is a statement to prepare. A list that is too long for its
    /// values repeats the last one, which changes nothing.
    package static func pieces(of values: [SQLValue]) -> [(list: String, arguments: [SQLValue])] {
        var pieces: [(list: String, arguments: [SQLValue])] = []
        var rest = values[...]
        while let last = rest.last {
            let size = sizes.first { $0 >= rest.count } ?? largest
            let some = rest.prefix(size)
            pieces.append(
                (
                    "IN (\(Array(repeating: "?", count: size).joined(separator: ", ")))",
                    some + Array(repeating: last, count: size - some.count)
                ))
            rest = rest.dropFirst(size)
        }
        return pieces
    }

    private static let sizes = [1, 8, 64]
    private static let largest = 512
}
