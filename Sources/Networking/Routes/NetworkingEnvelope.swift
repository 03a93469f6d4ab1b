import CloudCore
import HTTPKit
import HTTPTypes

/// The shape of Networking's errors. A request without a valid token gets the answer of the middleware before Neutron.
struct NetworkingEnvelope: ErrorEnvelope {
    func reply(_ error: CloudError, _ status: HTTPResponse.Status, _ context: ErrorContext) -> Reply {
        .json(status) { json in
            guard error.kind != .unauthenticated else {
                return json.object("error") { json in
                    json.member("code", status.code)
                    json.member("title", "Unauthorized")
                    json.member("message", error.message)
                }
            }
            json.object("NeutronError") { json in
                json.member("type", error.code ?? Self.type(of: error.kind))
                json.member("message", error.message)
                json.member("detail", "")
            }
        }
    }

    private static func type(of kind: CloudError.Kind) -> String {
        switch kind {
        case .badRequest: "HTTPBadRequest"
        case .forbidden: "PolicyNotAuthorized"
        case .notFound: "HTTPNotFound"
        case .methodNotAllowed: "HTTPMethodNotAllowed"
        case .conflict: "HTTPConflict"
        case .unsupportedMediaType: "HTTPUnsupportedMediaType"
        case .unavailable: "HTTPServiceUnavailable"
        case .internalError: "HTTPInternalServerError"
        default: kind.rawValue
        }
    }
}
