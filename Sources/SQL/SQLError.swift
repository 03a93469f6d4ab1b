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
    /// A broken file, a full disk: the operator's business.
    case broken(String)

    package var isTransient: Bool {
        switch self {
        case .serializationFailure, .unavailable: true
        default: false
        }
    }
}
