package import CloudCore
package import HTTPTypes

/// How one service writes an error. Nova, Keystone, Neutron, Placement, Glance and Swift each have a JSON of their own.
package protocol ErrorEnvelope: Sendable {
    func reply(_ error: CloudError, _ status: HTTPResponse.Status, _ context: ErrorContext) -> Reply
}

/// What an envelope may need to know of the request.
package struct ErrorContext: Sendable {
    package let requestID: String
    package let base: String
    package let microversion: Microversion?
    package let microversions: MicroversionRange?
    /// The `Accept` header: some APIs write their errors as the client wants them.
    package let accept: String?
}

extension CloudError.Kind {
    /// The one table from what went wrong to the status that says so.
    package var status: HTTPResponse.Status {
        switch self {
        case .badRequest: .badRequest
        case .unauthenticated: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .notAcceptable: .notAcceptable
        case .timeout: .requestTimeout
        case .conflict: .conflict
        case .gone: .gone
        case .preconditionFailed: .preconditionFailed
        case .tooLarge: .contentTooLarge
        case .unsupportedMediaType: .unsupportedMediaType
        case .rangeNotSatisfiable: .rangeNotSatisfiable
        case .quotaExceeded: .forbidden
        case .tooManyRequests: .tooManyRequests
        case .headersTooLarge: .requestHeaderFieldsTooLarge
        case .notImplemented: .notImplemented
        case .unavailable: .serviceUnavailable
        case .internalError: .internalServerError
        }
    }
}
