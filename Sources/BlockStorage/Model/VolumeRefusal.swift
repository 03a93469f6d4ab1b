import CloudCore

/// The reference's errors with their words. Clients match on some of them.
enum VolumeRefusal {
    static func volume(_ reason: String) -> CloudError { .badRequest("Invalid volume: \(reason)") }
    static func snapshot(_ reason: String) -> CloudError { .badRequest("Invalid snapshot: \(reason)") }
    static func backup(_ reason: String) -> CloudError { .badRequest("Invalid backup: \(reason)") }
    static func input(_ reason: String) -> CloudError { .badRequest("Invalid input received: \(reason)") }
    static func type(_ reason: String) -> CloudError { .badRequest("Invalid volume type: \(reason)") }
    static func group(_ reason: String) -> CloudError { .badRequest("Invalid Group: \(reason)") }
    static func conflict(_ reason: String) -> CloudError { .conflict("Resource conflict: \(reason)") }

    /// Returns the words as the reference joins them: `a, b or c`.
    static func either(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }
}
