import CloudCore
import SQL

/// A regular expression with which a user searches for names.
struct NamePattern: Sendable {
    private enum Form: Sendable {
        /// A text without special characters. Most requests have one.
        case plain([UInt8])
        case pattern(LinearPattern)
    }

    private let form: Form
    /// The texts that the pattern finds, where they are one text or all with one beginning; otherwise nil.
    let range: TextRange?

    private static let special = Set("\\^$.|?*+()[]{}".unicodeScalars)

    /// - Throws: `CloudError.badRequest`.
    init(_ text: String) throws {
        do {
            // `LinearPattern` is made for a plain text as well, because it checks the length.
            let pattern = try LinearPattern(text)
            range = Self.range(of: text)
            form = text.unicodeScalars.contains { Self.special.contains($0) } ? .pattern(pattern) : .plain(Array(text.utf8))
        } catch let flaw as LinearPattern.Flaw {
            throw CloudError.badRequest(
                "Invalid filter field: the value '\(text.prefix(60))' is not a regular expression that can be used: \(flaw.reason).")
        }
    }

    /// The text that each found text contains, where the pattern is no more than that; otherwise nil.
    var part: String? {
        guard case .plain(let text) = form, !text.isEmpty else { return nil }
        return String(decoding: text, as: UTF8.self)
    }

    /// Returns the range of `^text$` or `^text`, in which a special character stands behind `\\`.
    private static func range(of text: String) -> TextRange? {
        guard text.hasPrefix("^") else { return nil }
        var rest = text.unicodeScalars.dropFirst()
        var found = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            if scalar == "$", rest.isEmpty { return .exactly(String(found)) }
            guard special.contains(scalar) else {
                found.append(scalar)
                continue
            }
            guard scalar == "\\", let literal = rest.popFirst(), special.contains(literal) else { return nil }
            found.append(literal)
        }
        return found.isEmpty ? nil : .beginning(String(found))
    }

    func isFound(in name: String) -> Bool {
        switch form {
        case .plain(let text): Self.isPart(text, of: Array(name.utf8))
        case .pattern(let pattern): pattern.isFound(in: name)
        }
    }

    /// Returns whether the name contains the text. It compares bytes, as the reference's database does; Swift's own
    /// search takes a letter and its combining accent for one character.
    private static func isPart(_ text: [UInt8], of name: [UInt8]) -> Bool {
        guard text.count <= name.count else { return false }
        return (0...(name.count - text.count)).contains { name[$0...].starts(with: text) }
    }
}
