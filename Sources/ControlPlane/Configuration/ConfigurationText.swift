import CloudCore

extension LoadedConfiguration {
    /// The effective configuration as a usable YAML file. A comment after each value names its source.
    package var yaml: String {
        var out = "# The effective configuration. Behind each value: where it comes from.\n"
        for section in Option.sections {
            out += "\(section):\n"
            for option in Option.all where option.section == section {
                let value = option.get(configuration).yaml(hidingPasswords: option.isSecret)
                let line = "  \(option.key): \(value)"
                let padding = String(repeating: " ", count: max(2, 56 - line.count))
                out += "\(line)\(padding)# \(sources[option.path] ?? .standard)\n"
            }
        }
        return out
    }
}

extension Option {
    /// The tables of `docs/configuration.md`.
    package static var markdown: String {
        var out = ""
        for section in sections {
            out += "### \(section)\n\n| Option | Values | Default | What it does |\n|---|---|---|---|\n"
            for option in all where option.section == section {
                let standard = option.standard == .nothing ? "unset" : "`\(option.standard.yaml(hidingPasswords: false))`"
                out += "| `\(option.key)` | \(option.values) | \(standard) | \(option.summary) |\n"
            }
            out += "\n"
        }
        return out
    }

    private var values: String {
        switch kind {
        case .text: "text"
        case .choice(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        case .integer(let range, let unit, _): "\(range.lowerBound) to \(range.upperBound)\(unit.map { " \($0)" } ?? "")"
        case .flag: "`true`, `false`"
        case .list: "list"
        }
    }
}

extension Option.Value {
    func yaml(hidingPasswords: Bool) -> String {
        switch self {
        case .nothing: "null"
        case .integer(let number): "\(number)"
        case .flag(let flag): "\(flag)"
        case .text(let text): YAMLText.quoted(hidingPasswords ? Self.withoutPassword(text) : text)
        case .list(let items): "[" + items.map(YAMLText.quoted).joined(separator: ", ") + "]"
        }
    }

    /// Returns `postgresql://user:word@host/name` without the password. A parameter after the `?` may also hold it.
    private static func withoutPassword(_ text: String) -> String {
        text.replacing(/:\/\/([^:@\/?]*):.*@/) { "://\($0.1):***@" }
            .replacing(/(password)=[^&]*/) { "\($0.1)=***" }
    }
}

/// A writer of texts as YAML.
enum YAMLText {
    /// Returns a double-quoted scalar, or the bare text if every reader takes it for the same string.
    static func quoted(_ text: String) -> String {
        let isWord = text.utf8.allSatisfy {
            ($0 >= 48 && $0 <= 57) || ($0 >= 65 && $0 <= 90) || ($0 >= 97 && $0 <= 122) || $0 == UInt8(ascii: "_")
                || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/")
        }
        let looksOtherwise = ["", "null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
        let first = text.utf8.first ?? 0
        let startsAsText = (first >= 65 && first <= 90) || (first >= 97 && first <= 122) || first == UInt8(ascii: "/")
        if isWord, !looksOtherwise, startsAsText { return text }
        // A JSON string is also a double-quoted scalar of YAML.
        return JSON.string(text).text
    }
}
