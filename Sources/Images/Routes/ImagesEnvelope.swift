import CloudCore
import HTTPKit
import HTTPTypes

/// An error as Images writes it.
struct ImagesEnvelope: ErrorEnvelope {
    func reply(_ error: CloudError, _ status: HTTPResponse.Status, _ context: ErrorContext) -> Reply {
        .json(status) { json in
            json.member("message", error.message)
            json.member("code", "\(status.code) \(status.reasonPhrase)")
            json.member("title", status.reasonPhrase)
        }
    }
}
