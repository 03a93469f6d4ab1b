import CloudCore

/// What a database refused, in the same words for both.
package enum SQLError: Error, Sendable {
    /// A row with that key is there. `constraint` names the constraint (PostgreSQL) or its columns (SQLite): for logs.
    case uniqueViolation(constraint: String)
    /// A row that refers to another that is not there, or one that others still refer to.
    case foreignKeyViolation(constraint: String)
    case checkViolation(constraint: String)
    /// The transaction lost against another and changed nothing; the same may succeed if it is tried again.
    case serializationFailure(String)
    /// The database does not answer. Whether the last transaction was committed is not known.
    case unavailable(String)
    /// The program's fault: wrong SQL, a wrong type, a write in a reading transaction.
    case misuse(String)
    /// The database's disk is full: reads go on, and writes too once there is room again.
    case full(String)
    /// A broken file: the operator's business.
    case broken(String)

    package var isTransient: Bool {
        switch self {
        case .serializationFailure, .unavailable: true
        default: false
        }
    }

    private static let mostStatement = 2 << 10

    /// Returns the text of a statement as far as a log is to have it: a list's may be as long as what was asked for.
    static func brief(_ sql: String) -> String {
        sql.utf8.count > mostStatement ? String(decoding: sql.utf8.prefix(mostStatement), as: UTF8.self) + "…" : sql
    }
}
