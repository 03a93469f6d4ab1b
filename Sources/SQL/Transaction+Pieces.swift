import CloudCore

extension Transaction {
    /// Returns lists of values for a condition, such as `id IN (?, ?)`: for any number of values, each list with its
    /// arguments; none for no values.
    ///
    /// A list that differs by its length is another statement to prepare for each length. So SQLite gets the values as
    /// one argument, a JSON array. PostgreSQL, which has to know their types, gets lists of a few sizes; a list that is
    /// too long for its values repeats the last one, which changes nothing.
    package func pieces(of values: [SQLValue]) -> [(list: String, arguments: [SQLValue])] {
        if values.isEmpty { return [] }
        if dialect == .sqlite, let array = Self.array(values) {
            return [("IN (SELECT value FROM json_each(?))", [array.sql])]
        }
        return Self.sized(values)
    }

    /// Returns the values as a JSON array; nil if one of them is neither a text nor a whole number.
    private static func array(_ values: [SQLValue]) -> String? {
        var writer = JSONWriter(capacity: 40 * values.count)
        var isPlain = true
        writer.array(of: values) { json, value in
            switch value {
            case .text(let text): json.string(text)
            case .integer(let number): json.integer(number)
            default: isPlain = false
            }
        }
        return isPlain ? writer.text : nil
    }

    static func sized(_ values: [SQLValue]) -> [(list: String, arguments: [SQLValue])] {
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
