import CloudCore

/// `changes-since` and `changes-before` of a list's query: both ends are in.
struct ChangeWindow: Sendable {
    private(set) var since: Timestamp?
    private(set) var before: Timestamp?

    /// - Parameters:
    ///   - since: as the query has it, once its shape has let it through; so with the other.
    /// - Throws: `CloudError.badRequest` when the end is before the beginning.
    init(since: String?, before: String?) throws {
        self.since = since.flatMap(Timestamp.init(isotime:))
        self.before = before.flatMap(Timestamp.init(isotime:))
        if let since = self.since, let before = self.before, before < since {
            throw CloudError.badRequest("The value of changes-since must be less than or equal to changes-before.")
        }
        // Views show whole seconds: what was shown with this time is in.
        self.before = self.before?.endOfSecond
    }

    func has(_ moment: Timestamp) -> Bool { since.map { $0 <= moment } != false && before.map { moment <= $0 } != false }
}
