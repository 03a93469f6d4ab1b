import CloudCore

/// A regular expression that a user gives to find names by.
struct NamePattern: Sendable {
    private enum Form: Sendable {
        /// Text without any special character, which is most of what is asked for.
        case plain(String)
        case pattern(LinearPattern)
    }

    private let form: Form

    private static let special = Set("\\^$.|?*+()[]{}")

    /// - Throws: `CloudError.badRequest`.
    init(_ text: String) throws {
        do {
            // A plain text is bounded as well.
            let pattern = try LinearPattern(text)
            form = text.contains { Self.special.contains($0) } ? .pattern(pattern) : .plain(text)
        } catch let flaw as LinearPattern.Flaw {
            throw CloudError.badRequest(
                "Invalid filter field: the value '\(text.prefix(60))' is not a regular expression that can be used: \(flaw.reason).")
        }
    }

    func isFound(in name: String) -> Bool {
        switch form {
        case .plain(let text): name.contains(text)
        case .pattern(let pattern): pattern.isFound(in: name)
        }
    }
}
