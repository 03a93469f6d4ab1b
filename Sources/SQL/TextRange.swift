/// One text, or all texts with the same beginning: what an index over texts finds by itself.
package enum TextRange: Sendable, Hashable {
    case exactly(String)
    case beginning(String)

    /// The first text behind all texts with a beginning, in the order of their bytes; nil if no text is behind them.
    static func end(of beginning: String) -> String? {
        var scalars = Array(beginning.unicodeScalars)
        while let last = scalars.popLast() {
            // The scalars of UTF-16's surrogates do not exist: the one after U+D7FF is U+E000.
            guard let next = Unicode.Scalar(last.value == 0xd7ff ? 0xe000 : last.value + 1) else { continue }
            return String(String.UnicodeScalarView(scalars + [next]))
        }
        return nil
    }
}

extension Conditions {
    /// Adds that a column is in a range of texts; nothing without one.
    package mutating func within(_ column: String, _ range: TextRange?) {
        switch range {
        case nil: return
        case .exactly(let text): equal(column, text)
        case .beginning(let text):
            atLeast(column, text)
            if let end = TextRange.end(of: text) { add("\(column) < ?", [end.sql]) }
        }
    }
}
