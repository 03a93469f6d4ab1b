/// The error by which a service refuses a call. Any other error that reaches the server is logged as a bug and becomes
/// a 500; only a cancelled request becomes a 503.
///
/// It has two separate messages: `message` is for the caller, `detail` only for the operator's log. Each service writes
/// the error in its own envelope; `HTTPKit` has the one table from kind to status.
package struct CloudError: Error, Sendable {
    /// The kind of fault, in words that do not depend on HTTP.
    package enum Kind: String, Sendable, Codable, CaseIterable {
        case badRequest, unauthenticated, forbidden, notFound, methodNotAllowed, notAcceptable, timeout, conflict, gone
        case preconditionFailed, tooLarge, unsupportedMediaType, rangeNotSatisfiable, quotaExceeded, tooManyRequests
        case headersTooLarge, notImplemented, unavailable, internalError
    }

    package var kind: Kind
    /// The message for the caller: complete sentences, without internal facts of the cloud.
    package var message: String
    /// The message for the operator. It appears only in the log.
    package var detail: String?
    /// The machine-readable code of the case, in APIs that have such codes (Placement's codes, Neutron's types).
    package var code: String?
    /// Headers of the answer that belong to the error, such as `Allow` of a 405.
    package var headers: [(name: String, value: String)] = []
    /// Members of the answer's body that belong only to this case, such as the `receipt` of an unfinished
    /// authentication.
    package var body: [(key: String, value: JSON)] = []
    /// The error that caused this one, for the log.
    package var cause: (any Error)?
    /// Whether the same call may succeed if it is repeated unchanged.
    package var isTransient = false

    package init(_ kind: Kind, _ message: String, detail: String? = nil, code: String? = nil, cause: (any Error)? = nil) {
        self.kind = kind
        self.message = message
        self.detail = detail
        self.code = code
        self.cause = cause
    }

    package static func badRequest(_ message: String) -> Self { Self(.badRequest, message) }
    package static func forbidden(_ message: String) -> Self { Self(.forbidden, message) }
    package static func notFound(_ message: String) -> Self { Self(.notFound, message) }
    package static func conflict(_ message: String) -> Self { Self(.conflict, message) }

    /// Returns the error for a named resource that does not exist, in the words of Keystone, Nova and Glance.
    package static func notFound(_ noun: String, _ id: String) -> Self {
        Self(.notFound, "Could not find \(noun): \(id).")
    }

    /// Returns the error for a request that may succeed a moment later: what it needs is in use.
    ///
    /// - Parameter seconds: the time after which the client may try again.
    package static func busy(
        _ message: String, after seconds: Int = 1, detail: String? = nil, cause: (any Error)? = nil
    ) -> Self {
        var error = Self(.unavailable, message, detail: detail, cause: cause)
        error.headers = [("Retry-After", "\(seconds)")]
        error.isTransient = true
        return error
    }

    /// Returns the error for a bug or a broken machine. The caller learns no detail.
    package static func internalError(_ detail: String, cause: (any Error)? = nil) -> Self {
        Self(
            .internalError, "An unexpected error prevented the server from fulfilling your request.", detail: detail, cause: cause)
    }
}

extension CloudError: CustomStringConvertible {
    /// Both messages and the chain of causes, for logs.
    package var description: String {
        var text = "\(kind.rawValue): \(message)"
        if let detail { text += " [\(detail)]" }
        if let cause { text += " <- \(cause)" }
        return text
    }
}
