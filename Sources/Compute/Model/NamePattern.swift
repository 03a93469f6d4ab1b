import CloudCore

/// A regular expression that a user gives to find names by. It is tried against short names, and refused when it is long or is none.
struct NamePattern: Sendable {
    private let text: String
    private let isPlain: Bool

    private static let special = Set("\\^$.|?*+()[]{}")
    private static let longest = 255

    /// - Throws: `CloudError.badRequest`.
    init(_ text: String) throws {
        self.text = text
        isPlain = !text.contains { Self.special.contains($0) }
        guard text.utf8.count <= Self.longest else { throw Self.wrong(text) }
        if !isPlain { _ = try Self.regex(text) }
    }

    func isFound(in name: String) -> Bool {
        if isPlain { return name.contains(text) }
        guard let regex = try? Self.regex(text) else { return false }
        return name.firstMatch(of: regex) != nil
    }

    private static func regex(_ text: String) throws -> Regex<AnyRegexOutput> {
        do {
            return try Regex(text)
        } catch {
            throw wrong(text)
        }
    }

    private static func wrong(_ text: String) -> CloudError {
        .badRequest("Invalid filter field: the value '\(text.prefix(60))' is not a regular expression that can be used.")
    }
}
