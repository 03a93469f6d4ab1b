/// The one error of the product. What is thrown and is not one of these is a bug, and becomes a 500.
///
/// It has two messages that cannot be confused: `message` is for the caller, `detail` for the operator's log alone.
/// Each service renders it in its own envelope; `HTTPKit` has the one table from kind to status.
package struct CloudError: Error, Sendable {
    /// What went wrong, in words that know no HTTP.
    package enum Kind: String, Sendable, Codable, CaseIterable {
        case badRequest, unauthenticated, forbidden, notFound, methodNotAllowed, notAcceptable, timeout, conflict, gone
        case preconditionFailed, tooLarge, unsupportedMediaType, rangeNotSatisfiable, quotaExceeded, tooManyRequests
        case headersTooLarge, notImplemented, unavailable, internalError
    }

    package var kind: Kind
    /// For the caller: complete sentences, without anything of the operator's.
    package var message: String
    /// For the operator: never leaves the log.
    package var detail: String?
    /// A machine's word for the case, where the service's API has such words (Placement's codes, Neutron's types).
    package var code: String?
    /// Headers that the answer must carry, as `Allow` of a 405.
    package var headers: [(name: String, value: String)] = []
    /// Parts of the body that belong to this case alone, as the `receipt` of an unfinished authentication.
    package var body: [(key: String, value: JSON)] = []
    /// What caused it, for the log.
    package var cause: (any Error)?
    /// Whether the same call may succeed if it is made again, unchanged.
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

    /// The caller named a thing of a kind that is not there, in the words Keystone, Nova and Glance use.
    package static func notFound(_ noun: String, _ id: String) -> Self {
        Self(.notFound, "Could not find \(noun): \(id).")
    }

    /// A bug, or a machine that is broken: the caller learns only that.
    package static func internalError(_ detail: String, cause: (any Error)? = nil) -> Self {
        Self(
            .internalError, "An unexpected error prevented the server from fulfilling your request.", detail: detail, cause: cause)
    }
}

extension CloudError: CustomStringConvertible {
    /// For logs: both messages and the chain of causes.
    package var description: String {
        var text = "\(kind.rawValue): \(message)"
        if let detail { text += " [\(detail)]" }
        if let cause { text += " <- \(cause)" }
        return text
    }
}
