package import CloudCore
package import HTTPTypes

/// The form of errors in the APIs of Nova and of Cinder: one member, which is named after the kind of error.
package struct FaultEnvelope: ErrorEnvelope {
    private let overLimit: Set<Int>
    private let showsRetry: Bool

    /// - Parameters:
    ///   - overLimit: the statuses of errors that are named `overLimit`.
    ///   - showsRetry: whether the body of a 413 has the header `Retry-After`, too.
    package init(overLimit: Set<Int>, showsRetry: Bool = false) {
        self.overLimit = overLimit
        self.showsRetry = showsRetry
    }

    package func reply(_ error: CloudError, _ status: HTTPResponse.Status, _ context: ErrorContext) -> Reply {
        var reply = Reply.json(status) { json in
            if status == .unauthorized {
                // In the reference, the middleware in front of the service writes this error.
                json.object("error") { json in
                    json.member("code", status.code)
                    json.member("title", status.reasonPhrase)
                    json.member("message", error.message)
                }
                return
            }
            json.object(dynamic: name(of: status)) { json in
                json.member("code", status.code)
                json.member("message", error.message)
                if showsRetry, status == .contentTooLarge,
                    let after = error.headers.first(where: { $0.name == "Retry-After" })
                {
                    json.member("retryAfter", after.value)
                }
            }
        }
        reply.headers[.computeRequestID] = context.requestID
        return reply
    }

    private func name(of status: HTTPResponse.Status) -> String {
        switch status.code {
        case let code where overLimit.contains(code): "overLimit"
        case 400: "badRequest"
        case 403: "forbidden"
        case 404: "itemNotFound"
        case 405: "badMethod"
        case 409: "conflictingRequest"
        case 415: "badMediaType"
        case 501: "notImplemented"
        case 503: "serviceUnavailable"
        default: "computeFault"
        }
    }
}

extension HTTPField.Name {
    /// The older name of the header with the request's id, by which clients of Nova find the instance action.
    package static let computeRequestID = Self("x-compute-request-id")!  // tidy: allow force-unwrap, a constant
    /// The header with the progress of a thing's workflow in per cent. The `progress` of a server's body is what the
    /// reference shows.
    package static let progress = Self("x-novella-progress")!  // tidy: allow force-unwrap, a constant
}

extension MicroversionRange.Complaints {
    /// The words of Nova and of Cinder.
    package static let faults = Self(
        malformed: { "API Version String \($0) is of invalid format. Must be of format MajorNum.MinorNum." },
        outside: usual.outside)
}
