import CloudCore
import HTTPKit
import HTTPTypes

/// The form of Compute's errors: one member, which is named after the kind of error.
struct ComputeEnvelope: ErrorEnvelope {
    func reply(_ error: CloudError, _ status: HTTPResponse.Status, _ context: ErrorContext) -> Reply {
        var reply = Reply.json(status) { json in
            if status == .unauthorized {
                // In the reference, the middleware in front of Nova writes this error.
                json.object("error") { json in
                    json.member("code", status.code)
                    json.member("title", status.reasonPhrase)
                    json.member("message", error.message)
                }
                return
            }
            json.object(dynamic: Self.name(of: status, quota: error.kind == .quotaExceeded)) { json in
                json.member("code", status.code)
                json.member("message", error.message)
            }
        }
        reply.headers[.computeRequestID] = context.requestID
        return reply
    }

    private static func name(of status: HTTPResponse.Status, quota: Bool) -> String {
        switch status.code {
        case 400: "badRequest"
        case 403: "forbidden"
        case 404: "itemNotFound"
        case 405: "badMethod"
        case 409: "conflictingRequest"
        case 413, 429: "overLimit"
        case 415: "badMediaType"
        case 501: "notImplemented"
        case 503: "serviceUnavailable"
        default: "computeFault"
        }
    }
}

extension HTTPField.Name {
    /// The header with the progress of a server's workflow in per cent. The body's `progress` is what the reference
    /// shows.
    static let progress = Self("x-novella-progress")!  // tidy: allow force-unwrap, a constant
    /// The older name of the header by which clients find the instance action of a request.
    static let computeRequestID = Self("x-compute-request-id")!  // tidy: allow force-unwrap, a constant
}
