package import CloudCore

/// The part of an error that can leave the host.
package struct AgentProblem: Sendable, Hashable, Codable {
    package var kind: CloudError.Kind
    package var message: String
    package var detail: String?
    package var code: String?
    package var isTransient: Bool

    package init(_ error: CloudError) {
        kind = error.kind
        message = error.message
        // The causes become a text, since the values themselves cannot leave the host.
        detail = error.cause.map { "\(error.detail ?? "") <- \($0)" } ?? error.detail
        code = error.code
        isTransient = error.isTransient
    }

    package var error: CloudError {
        var error = CloudError(kind, message, detail: detail, code: code)
        error.isTransient = isTransient
        return error
    }
}
