import CloudCore

/// The error of a database, in the same terms for both kinds.
package enum SQLError: Error, Sendable {
    /// A row with the same key exists. `constraint` is for logs: the name of the constraint (PostgreSQL) or the message
    /// with its columns (SQLite).
    case uniqueViolation(constraint: String)
    /// The row refers to a row that does not exist, or other rows still refer to it.
    case foreignKeyViolation(constraint: String)
    case checkViolation(constraint: String)
    /// The transaction lost against another one and changed nothing. It may succeed if it is run again.
    case serializationFailure(String)
    /// The database does not answer. It is unknown whether the last transaction was committed.
    case unavailable(String)
    /// A fault of the program: wrong SQL, a wrong type, a write in a reading transaction.
    case misuse(String)
    /// The statement was stopped, because nobody waits for its result any more or because it takes too long.
    case interrupted(String)
    /// The disk of the database is full. Reads still work; writes work again once there is room.
    case full(String)
    /// The database file is damaged, or the error has no known meaning; the operator must act.
    case broken(String)

    package var isTransient: Bool {
        switch self {
        case .serializationFailure, .unavailable: true
        default: false
        }
    }

    /// Whether the transaction was stopped from outside. No closure can turn this into an error of its own.
    var isInterruption: Bool { if case .interrupted = self { true } else { false } }

    private static let mostStatement = 2 << 10

    /// Returns the text of a statement for a log, cut to 2 KiB: a statement with a list may be as long as the request.
    static func brief(_ sql: String) -> String {
        sql.utf8.count > mostStatement ? String(decoding: sql.utf8.prefix(mostStatement), as: UTF8.self) + "…" : sql
    }
}
