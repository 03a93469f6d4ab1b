import CloudCore
import Foundation
import Yams

/// A configuration, with the source of each value.
///
/// The command line overrides the environment, the environment overrides the file, and the file overrides the defaults.
package struct LoadedConfiguration: Sendable {
    package enum Source: Sendable, Equatable, CustomStringConvertible {
        case standard
        case file(String, line: Int)
        case environment(String)
        case commandLine(String)

        package var description: String {
            switch self {
            case .standard: "default"
            case .file(let name, let line): "\(name):\(line)"
            case .environment(let name): "environment \(name)"
            case .commandLine(let name): "command line \(name)"
            }
        }
    }

    /// A value from the command line: the flag, the option that it sets, and the text.
    package struct Flag: Sendable {
        let name: String
        let path: String
        let value: String

        package init(_ name: String, sets path: String, to value: String) {
            self.name = name
            self.path = path
            self.value = value
        }
    }

    package private(set) var configuration = Configuration()
    package private(set) var sources: [String: Source] = [:]
    private var problems: [String] = []

    /// The file that is read if none is named. It may be missing.
    package static let standardFile = "/etc/novella/novella.yaml"

    /// Loads the configuration from a file, the environment and the command line.
    ///
    /// - Parameter file: a file that must exist; nil for the standard file, if it exists.
    ///
    /// - Throws: `ConfigurationError` with all problems, not only the first.
    package static func load(
        file: String?, environment: [String: String] = [:], flags: [Flag] = []
    ) throws(ConfigurationError) -> LoadedConfiguration {
        let path = file ?? standardFile
        let text: String?
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            if file != nil || FileManager.default.fileExists(atPath: path) {
                throw ConfigurationError(problems: ["\(path): the file cannot be read"])
            }
            text = nil
        }
        return try load(text: text ?? "", name: path, environment: environment, flags: flags)
    }

    /// Loads the configuration from a text instead of a file.
    ///
    /// - Parameter name: the name of the text in messages.
    package static func load(
        text: String, name: String, environment: [String: String] = [:], flags: [Flag] = []
    ) throws(ConfigurationError) -> LoadedConfiguration {
        var loaded = LoadedConfiguration()
        loaded.read(text, name)
        loaded.read(environment)
        for flag in flags { loaded.set(flag.path, to: flag.value, from: .commandLine(flag.name)) }
        loaded.checkTogether()
        guard loaded.problems.isEmpty else { throw ConfigurationError(problems: loaded.problems) }
        return loaded
    }

    // MARK: Setting

    private mutating func set(_ path: String, to text: String, from source: Source) {
        guard let option = Option.byPath[path] else { return problems.append("\(source): there is no option '\(path)'") }
        set(option, from: source) { () throws(OptionProblem) in try option.value(text) }
    }

    private mutating func set(_ option: Option, from source: Source, _ value: () throws(OptionProblem) -> Option.Value) {
        do throws(OptionProblem) {
            option.set(&configuration, try value())
            sources[option.path] = source
        } catch {
            problems.append("\(source): \(option.path) \(error.text)")
        }
    }

    // MARK: The environment

    /// Reads options from the environment. An unknown name that begins like an option's name is an error; other names
    /// are ignored.
    private mutating func read(_ environment: [String: String]) {
        let options = Dictionary(uniqueKeysWithValues: Option.all.map { ($0.environmentName, $0) })
        for (name, text) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("NOVELLA_") {
            if let option = options[name] {
                set(option.path, to: text, from: .environment(name))
            } else if Option.sections.contains(where: { name.hasPrefix("NOVELLA_\($0.uppercased())_") }) {
                problems.append("environment: there is no option \(name)\(Self.hint(name, options.keys))")
            }
        }
    }

    // MARK: The file

    private mutating func read(_ text: String, _ name: String) {
        let root: Node?
        do {
            root = try compose(yaml: text)
        } catch {
            return problems.append("\(name): this is not YAML: \(Self.oneLine(error))")
        }
        // An empty file, or a file with only comments, is null.
        guard let root, root.null == nil else { return }
        guard case .mapping(let sections) = root else {
            return problems.append("\(name): the file must have sections, as `server:`")
        }
        for (sectionNode, body) in sections {
            let section = sectionNode.string ?? ""
            let line = sectionNode.mark?.line ?? 0
            guard Option.sections.contains(section) else {
                problems.append("\(name):\(line): there is no section '\(section)'\(Self.hint(section, Option.sections))")
                continue
            }
            if body.null != nil { continue }
            guard case .mapping(let members) = body else {
                problems.append("\(name):\(line): the section '\(section)' must have options below it")
                continue
            }
            for (keyNode, value) in members {
                read("\(section).\(keyNode.string ?? "")", value, name, keyNode.mark?.line ?? 0)
            }
        }
    }

    private mutating func read(_ path: String, _ value: Node, _ name: String, _ line: Int) {
        guard let option = Option.byPath[path] else {
            return problems.append("\(name):\(line): there is no option '\(path)'\(Self.hint(path, Option.byPath.keys))")
        }
        let source = Source.file(name, line: line)
        guard sources[path] == nil else { return problems.append("\(source): \(path) is set twice") }
        switch value {
        case .scalar(let scalar):
            let text = value.null != nil && scalar.style == .plain ? nil : scalar.string
            set(option, from: source) { () throws(OptionProblem) in try option.value(text) }
        case .sequence(let items):
            let texts = items.compactMap(\.string)
            set(option, from: source) { () throws(OptionProblem) in
                guard texts.count == items.count else { throw OptionProblem(text: "must be a list of texts") }
                return try option.value(list: texts)
            }
        default: problems.append("\(source): \(path) must be a value and not a section")
        }
    }

    // MARK: What holds between options

    private mutating func checkTogether() {
        if (configuration.server.tlsCertificate == nil) != (configuration.server.tlsKey == nil) {
            problems.append("server.tls_certificate and server.tls_key must be set together")
        }
        if configuration.compliance.passwordRegexDescription != nil, configuration.compliance.passwordRegex == nil {
            problems.append("security_compliance.password_regex_description has no password_regex to describe")
        }
    }

    private static func hint(_ word: String, _ candidates: some Sequence<String>) -> String {
        if let nearest = Nearest.of(word, among: candidates) { return "; did you mean '\(nearest)'?" }
        // This finds the right key in the wrong section.
        let key = word.split(separator: ".").last.map { ".\($0)" } ?? word
        return candidates.first { $0.hasSuffix(key) }.map { "; did you mean '\($0)'?" } ?? ""
    }

    private static func oneLine(_ error: any Error) -> String {
        "\(error)".split(separator: "\n").first.map(String.init) ?? "\(error)"
    }
}
