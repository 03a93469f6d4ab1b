import CloudCore

/// The period that a list's query names by `changes-since` and `changes-before`. Both ends belong to it.
struct ChangeWindow: Sendable {
    private(set) var since: Timestamp?
    private(set) var before: Timestamp?

    /// Reads the period from the query's texts, whose format was checked before.
    ///
    /// - Parameters:
    ///   - since: the text of `changes-since`; nil for no beginning.
    ///   - before: the text of `changes-before`; nil for no end.
    /// - Throws: `CloudError.badRequest` if the end is before the beginning.
    init(since: String?, before: String?) throws {
        self.since = since.flatMap(Timestamp.init(isotime:))
        self.before = before.flatMap(Timestamp.init(isotime:))
        if let since = self.since, let before = self.before, before < since {
            throw CloudError.badRequest("The value of changes-since must be less than or equal to changes-before.")
        }
        // Views show whole seconds, so the whole second that was shown belongs to the period.
        self.before = self.before?.endOfSecond
    }

    func has(_ moment: Timestamp) -> Bool { since.map { $0 <= moment } != false && before.map { moment <= $0 } != false }
}
