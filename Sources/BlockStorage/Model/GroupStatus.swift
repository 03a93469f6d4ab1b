import CloudCore

/// The state of a group or of a group snapshot, as the API shows it.
enum GroupStatus: String, Sendable, CaseIterable {
    case error, available, creating, deleting, deleted, updating
    /// A state of groups that no action leads to.
    case inUse = "in-use"
    case errorDeleting = "error_deleting"

    /// The states in which a group or a group snapshot may be deleted.
    static let deletable: [GroupStatus] = [.available, .error]

    /// Returns the state that a reset asks for. A reset never leads to `in-use`.
    ///
    /// - Parameters:
    ///   - kind: the kind of thing: `Group` or `GroupSnapshot`.
    ///   - words: the words that the reference has for the state and for the list of states.
    ///   - named: the states that the error names.
    static func reset(
        _ text: String, of kind: String, _ words: (status: String, list: String), named: [GroupStatus]
    ) throws -> GroupStatus {
        guard !text.trimmed.isEmpty else {
            throw CloudError.badRequest("Invalid \(kind) Status: The 'status' can not be empty.")
        }
        guard let status = GroupStatus(rawValue: text.lowercased()), status != .inUse else {
            let valid = named.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            throw CloudError.badRequest(
                "Invalid \(kind) Status: \(words.status): \(text.prefix(255)) is invalid, \(words.list): (\(valid)).")
        }
        return status
    }
}
