import CloudCore

/// A dictionary of texts as Python writes it, such as `{'a': 'b'}`. Clients send the filter `metadata` in this form.
enum PythonDictionary {
    /// Returns the pairs; nil for a text that is no such dictionary.
    static func pairs(_ text: String) -> [(name: String, value: String)]? {
        var rest = text.trimmed[...]
        guard rest.first == "{", rest.last == "}" else { return nil }
        rest = rest.dropFirst().dropLast()
        var pairs: [(name: String, value: String)] = []
        skipSpace(&rest)
        while !rest.isEmpty {
            guard let name = word(&rest), take(":", &rest), let value = word(&rest) else { return nil }
            pairs.append((name, value))
            guard take(",", &rest) || rest.isEmpty else { return nil }
        }
        return pairs
    }

    private static func skipSpace(_ rest: inout Substring) { rest = rest.drop { $0.isWhitespace } }

    private static func take(_ sign: Character, _ rest: inout Substring) -> Bool {
        skipSpace(&rest)
        guard rest.first == sign else { return false }
        rest = rest.dropFirst()
        skipSpace(&rest)
        return true
    }

    /// Reads a text in quotes, which Python's older text type may have a `u` before.
    private static func word(_ rest: inout Substring) -> String? {
        skipSpace(&rest)
        if rest.first == "u" { rest = rest.dropFirst() }
        guard let quote = rest.first, quote == "'" || quote == "\"" else { return nil }
        rest = rest.dropFirst()
        var text = ""
        while let character = rest.first {
            rest = rest.dropFirst()
            if character == quote { return text }
            if character == "\\", let next = rest.first {
                rest = rest.dropFirst()
                text.append(next)
            } else {
                text.append(character)
            }
        }
        return nil
    }
}
