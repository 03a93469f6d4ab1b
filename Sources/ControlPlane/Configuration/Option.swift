import CloudCore

/// An option of the configuration: its name, its allowed values, its property, and its documentation.
package struct Option: Sendable {
    /// The value of an option, independent of its Swift type.
    enum Value: Sendable, Equatable {
        case nothing
        case text(String)
        case integer(Int)
        case flag(Bool)
        case list([String])
    }

    enum Kind: Sendable {
        /// `check` returns what is wrong with a text, as the end of a sentence that begins with the option's name.
        case text(isOptional: Bool, check: @Sendable (String) -> String?)
        case choice([String])
        case integer(ClosedRange<Int>, unit: String?, isOptional: Bool)
        case flag
        case list(check: @Sendable (String) -> String?)
    }

    let section: String
    let key: String
    let kind: Kind
    let summary: String
    /// Whether the option contains a password, which is left out when the option is shown.
    var isSecret = false
    let get: @Sendable (Configuration) -> Value
    let set: @Sendable (inout Configuration, Value) -> Void

    package var path: String { "\(section).\(key)" }
    package var environmentName: String { "NOVELLA_\(section)_\(key)".uppercased() }
    var standard: Value { self.get(Configuration()) }
}

/// A problem with the value of an option, as the end of a sentence that begins with the option's name.
struct OptionProblem: Error {
    let text: String
}

// MARK: - Reading

extension Option {
    /// Returns the value of a text. In the environment and on the command line, every value is a text.
    ///
    /// - Parameter text: the text; nil for an explicit null.
    func value(_ text: String?) throws(OptionProblem) -> Value {
        switch kind {
        case .text(let isOptional, let check):
            guard let text, !(isOptional && text.isEmpty) else {
                if isOptional { return .nothing }
                throw OptionProblem(text: "must have a value")
            }
            if let problem = check(text) { throw OptionProblem(text: problem) }
            return .text(text)
        case .choice(let words):
            guard let text, words.contains(text) else {
                throw OptionProblem(text: "is '\(text ?? "")' and must be one of: \(words.joined(separator: ", "))")
            }
            return .text(text)
        case .integer(let range, _, let isOptional):
            guard let text, !(isOptional && text.isEmpty) else {
                if isOptional { return .nothing }
                throw OptionProblem(text: "must have a value")
            }
            guard let number = Int(text) else { throw OptionProblem(text: "is '\(text)' and must be a whole number") }
            guard range.contains(number) else {
                throw OptionProblem(text: "is \(number) and must be from \(range.lowerBound) to \(range.upperBound)")
            }
            return .integer(number)
        case .flag:
            switch text?.lowercased() {
            case "true", "yes", "on", "1": return .flag(true)
            case "false", "no", "off", "0": return .flag(false)
            default: throw OptionProblem(text: "is '\(text ?? "")' and must be true or false")
            }
        case .list:
            let items = (text ?? "").split(separator: ",").map { $0.drop { $0 == " " } }
            return try value(list: items.map { String($0.prefix { $0 != " " }) })
        }
    }

    func value(list items: [String]) throws(OptionProblem) -> Value {
        guard case .list(let check) = kind else { throw OptionProblem(text: "must be one value and not a list") }
        for item in items {
            if let problem = check(item) { throw OptionProblem(text: problem) }
        }
        return .list(items)
    }
}

// MARK: - Making the table

extension Option {
    typealias Path<Value> = WritableKeyPath<Configuration, Value> & Sendable
    typealias Check = @Sendable (String) -> String?

    static func text(
        _ section: String, _ key: String, _ path: any Path<String>, check: @escaping Check = { _ in nil }, _ summary: String
    ) -> Option {
        Option(
            section: section, key: key, kind: .text(isOptional: false, check: check), summary: summary,
            get: { .text($0[keyPath: path]) },
            set: { if case .text(let text) = $1 { $0[keyPath: path] = text } })
    }

    static func optionalText(
        _ section: String, _ key: String, _ path: any Path<String?>, check: @escaping Check = { _ in nil }, _ summary: String
    ) -> Option {
        Option(
            section: section, key: key, kind: .text(isOptional: true, check: check), summary: summary,
            get: { $0[keyPath: path].map(Value.text) ?? .nothing },
            set: { if case .text(let text) = $1 { $0[keyPath: path] = text } else { $0[keyPath: path] = nil } })
    }

    static func secret(
        _ section: String, _ key: String, _ path: any Path<Secret?>, check: @escaping Check = { _ in nil }, _ summary: String
    ) -> Option {
        Option(
            section: section, key: key, kind: .text(isOptional: true, check: check), summary: summary, isSecret: true,
            get: { $0[keyPath: path].map { .text($0.reveal()) } ?? .nothing },
            set: { if case .text(let text) = $1 { $0[keyPath: path] = Secret(text) } else { $0[keyPath: path] = nil } })
    }

    static func choice(
        _ section: String, _ key: String, _ path: any Path<String>, _ words: [String], _ summary: String
    ) -> Option {
        Option(
            section: section, key: key, kind: .choice(words), summary: summary,
            get: { .text($0[keyPath: path]) },
            set: { if case .text(let text) = $1 { $0[keyPath: path] = text } })
    }

    static func integer(
        _ section: String, _ key: String, _ path: any Path<Int>, _ range: ClosedRange<Int>, unit: String? = nil, _ summary: String
    ) -> Option {
        Option(
            section: section, key: key, kind: .integer(range, unit: unit, isOptional: false), summary: summary,
            get: { .integer($0[keyPath: path]) },
            set: { if case .integer(let number) = $1 { $0[keyPath: path] = number } })
    }

    static func optionalInteger(
        _ section: String, _ key: String, _ path: any Path<Int?>, _ range: ClosedRange<Int>, unit: String? = nil,
        _ summary: String
    ) -> Option {
        Option(
            section: section, key: key, kind: .integer(range, unit: unit, isOptional: true), summary: summary,
            get: { $0[keyPath: path].map(Value.integer) ?? .nothing },
            set: { if case .integer(let number) = $1 { $0[keyPath: path] = number } else { $0[keyPath: path] = nil } })
    }

    static func seconds(
        _ section: String, _ key: String, _ path: any Path<Duration>, _ range: ClosedRange<Int>, _ summary: String
    ) -> Option {
        Option(
            section: section, key: key, kind: .integer(range, unit: "seconds", isOptional: false), summary: summary,
            get: { .integer(Int($0[keyPath: path].components.seconds)) },
            set: { if case .integer(let number) = $1 { $0[keyPath: path] = .seconds(number) } })
    }

    static func flag(_ section: String, _ key: String, _ path: any Path<Bool>, _ summary: String) -> Option {
        Option(
            section: section, key: key, kind: .flag, summary: summary,
            get: { .flag($0[keyPath: path]) },
            set: { if case .flag(let flag) = $1 { $0[keyPath: path] = flag } })
    }

    static func list(
        _ section: String, _ key: String, _ path: any Path<[String]>, check: @escaping Check, _ summary: String
    ) -> Option {
        Option(
            section: section, key: key, kind: .list(check: check), summary: summary,
            get: { .list($0[keyPath: path]) },
            set: { if case .list(let items) = $1 { $0[keyPath: path] = items } })
    }
}
