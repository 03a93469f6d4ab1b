import CloudCore
import HTTPKit
import HTTPTypes

/// Keystone's format of errors: `{"error": {"code": 404, "message": "…", "title": "Not Found"}}`.
struct IdentityEnvelope: ErrorEnvelope {
    func reply(_ error: CloudError, _ status: HTTPResponse.Status, _ context: ErrorContext) -> Reply {
        var reply = Reply.json(status) { writer in
            // The answer to an unfinished authentication has its own members instead of `error`.
            for (key, value) in error.body {
                writer.key(dynamic: key)
                writer.value(value)
            }
            guard error.body.isEmpty else { return }
            writer.object("error") { writer in
                writer.member("code", status.code)
                writer.member("message", error.message)
                writer.member("title", status.reasonPhrase)
            }
        }
        if status == .unauthorized { reply.headers.append(HTTPField(name: .vary, value: HTTPField.Name.authToken.rawName)) }
        return reply
    }
}
