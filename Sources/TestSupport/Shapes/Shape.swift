package import CloudCore

/// The outline of a stored value: the form of its JSON, whatever the names of its Swift types are.
package indirect enum Shape: Equatable, Sendable {
    /// A single value, named by a word: `text`, `text: IP address`, `integer`, `integer: UInt16`, `number`, `truth`,
    /// `bytes`.
    case leaf(String)
    /// An enum without payloads, by its values.
    case words([JSON])
    case list(Shape)
    /// An object whose names are data.
    case map(Shape)
    case object([String: Member])
    /// An enum with payloads, by the names of its cases.
    case choice([String: Shape])
    /// A stored value that has its own golden, by its name.
    case named(String)

    package struct Member: Equatable, Sendable {
        package var shape: Shape
        package var presence: Presence
    }

    package enum Presence: Equatable, Sendable {
        case required, optional
        /// The member may be missing, and then has this value.
        case defaulted(JSON)
    }
}

// MARK: - As JSON

/// The JSON of a golden, which looks like the JSON that it describes:
///
///     {
///       "host?": "text",                                a member that may be missing
///       "isHidden = false": "truth",                    a member with a default
///       "power": {"one of": ["off", "running"]},        an enum
///       "server": "<compute.server>",                   a value with a golden of its own
///       "sizes": {"*": "integer"},                      a map
///       "tags": ["text"],
///       "verb": {"case remove": {}, "case power": {…}}  an enum with payloads
///     }
extension Shape {
    package var json: JSON {
        switch self {
        case .leaf(let word): .string(word)
        case .words(let words): ["one of": .array(words)]
        case .list(let shape): [shape.json]
        case .map(let shape): ["*": shape.json]
        case .named(let name): .string("<\(name)>")
        case .choice(let cases): Self.sorted(cases.map { ("case \($0)", $1.json) })
        case .object(let members): Self.sorted(members.map { ($0 + $1.presence.mark, $1.shape.json) })
        }
    }

    private static func sorted(_ members: [(String, JSON)]) -> JSON { .object(JSONObject(members.sorted { $0.0 < $1.0 })) }

    /// Reads an outline from a golden.
    ///
    /// - Throws: `UnknownGolden` for JSON that is no outline.
    package init(_ json: JSON) throws {
        switch json {
        case .string(let text) where text.hasPrefix("<"): self = .named(String(text.dropFirst().dropLast()))
        case .string(let text): self = .leaf(text)
        case .array(let elements) where elements.count == 1: self = .list(try Shape(elements[0]))
        case .object(let object): self = try Self.read(object)
        default: throw UnknownGolden(json: json)
        }
    }

    private static func read(_ object: JSONObject) throws -> Shape {
        if let words = object["one of"]?.array { return .words(words) }
        if let each = object["*"] { return .map(try Shape(each)) }
        let members = try object.members.map { (name: $0.key, shape: try Shape($0.value)) }
        if let first = members.first, first.name.hasPrefix("case ") {
            return .choice(Dictionary(members.map { (String($0.name.dropFirst(5)), $0.shape) }) { $1 })
        }
        return .object(Dictionary(try members.map { try Member.read($0.name, $0.shape) }) { $1 })
    }

    package struct UnknownGolden: Error { let json: JSON }
}

extension Shape.Presence {
    fileprivate var mark: String {
        switch self {
        case .required: ""
        case .optional: "?"
        case .defaulted(let value): " = \(value.text)"
        }
    }
}

extension Shape.Member {
    fileprivate static func read(_ name: String, _ shape: Shape) throws -> (String, Shape.Member) {
        if name.hasSuffix("?") { return (String(name.dropLast()), Shape.Member(shape: shape, presence: .optional)) }
        guard let mark = name.firstRange(of: " = ") else { return (name, Shape.Member(shape: shape, presence: .required)) }
        let value = try JSON.parse(String(name[mark.upperBound...]))
        return (String(name[..<mark.lowerBound]), Shape.Member(shape: shape, presence: .defaulted(value)))
    }
}

extension JSON {
    /// Returns the value as indented text. A short value is on one line.
    package func pretty(_ indent: String = "") -> String {
        if text.count <= 100 - indent.count { return text.replacing("\":", with: "\": ").replacing(",\"", with: ", \"") }
        let inner = indent + "  "
        switch self {
        case .array(let elements): return "[\n" + elements.map { inner + $0.pretty(inner) }.joined(separator: ",\n") + "\n\(indent)]"
        case .object(let object):
            let lines = object.members.map { "\(inner)\(JSON.string($0.key).text): \($0.value.pretty(inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        default: return text
        }
    }
}
