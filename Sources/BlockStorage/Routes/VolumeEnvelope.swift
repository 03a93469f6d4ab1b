import CloudCore
import HTTPKit
import HTTPTypes

/// The form of Block Storage's errors: one member, which is named after the kind of error.
struct VolumeEnvelope: ErrorEnvelope {
    func reply(_ error: CloudError, _ status: HTTPResponse.Status, _ context: ErrorContext) -> Reply {
        var reply = Reply.json(status) { json in
            if status == .unauthorized {
                // In the reference, the middleware in front of Cinder writes this error.
                json.object("error") { json in
                    json.member("code", status.code)
                    json.member("title", status.reasonPhrase)
                    json.member("message", error.message)
                }
                return
            }
            json.object(dynamic: Self.name(of: status)) { json in
                json.member("code", status.code)
                json.member("message", error.message)
                if status == .contentTooLarge, let after = error.headers.first(where: { $0.name == "Retry-After" }) {
                    json.member("retryAfter", after.value)
                }
            }
        }
        reply.headers[.computeRequestID] = context.requestID
        return reply
    }

    private static func name(of status: HTTPResponse.Status) -> String {
        switch status.code {
        case 400: "badRequest"
        case 403: "forbidden"
        case 404: "itemNotFound"
        case 405: "badMethod"
        case 409: "conflictingRequest"
        case 413: "overLimit"
        case 415: "badMediaType"
        case 501: "notImplemented"
        case 503: "serviceUnavailable"
        default: "computeFault"
        }
    }
}
