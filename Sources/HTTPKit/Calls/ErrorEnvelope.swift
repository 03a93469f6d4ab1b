package import CloudCore
package import HTTPTypes

/// The JSON in which one service writes errors. Nova, Keystone, Neutron, Placement, Glance and Swift each have their
/// own.
package protocol ErrorEnvelope: Sendable {
    func reply(_ error: CloudError, _ status: HTTPResponse.Status, _ context: ErrorContext) -> Reply
}

/// Facts about the request that an envelope may need.
package struct ErrorContext: Sendable {
    package let requestID: String
    package let base: String
    package let microversion: Microversion?
    package let microversions: MicroversionRange?
    /// The `Accept` header: some APIs write errors in the form that the client prefers.
    package let accept: String?
}

extension CloudError.Kind {
    /// The HTTP status of this kind of error. No other table has these.
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
