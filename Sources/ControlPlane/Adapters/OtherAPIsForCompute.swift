import CloudCore
import Compute
import HTTPKit
import HTTPTypes

/// A client of the cloud's other APIs within this process. It passes on the token of Compute's caller, so that the
/// policies of those APIs apply to that caller.
struct OtherAPIsForCompute: OtherAPIsNeed {
    let responder: Responder

    func send(_ method: HTTPRequest.Method, _ path: String, _ body: JSON?, token: String) async throws -> JSON {
        let bytes = body.map { Array($0.text.utf8) } ?? []
        var fields: HTTPFields = [.authToken: token, .accept: "application/json"]
        if body != nil {
            fields[.contentType] = method == .patch ? "application/openstack-images-v2.1-json-patch" : "application/json"
            fields[.contentLength] = "\(bytes.count)"
        }
        let head = HTTPRequest(method: method, scheme: "http", authority: "127.0.0.1", path: path, headerFields: fields)
        let reply = await responder.respond(to: head, .init(bytes: bytes))
        let answer: JSON = if case .bytes(let bytes) = reply.content { (try? JSON.parse(bytes)) ?? .null } else { .null }
        guard reply.status.code >= 300 else { return answer }
        let error = answer["NeutronError"]
        // Block Storage's only member is named after the kind of error.
        let named = answer.object?.members.first?.value["message"]?.string
        let message = error?["message"]?.string ?? answer["message"]?.string ?? named ?? reply.status.reasonPhrase
        let kind: CloudError.Kind? =
            switch reply.status.code {
            case 400: .badRequest
            case 401: .unauthenticated
            case 403: .forbidden
            case 404: .notFound
            case 409: .conflict
            case 413: .tooLarge
            case 503: .unavailable
            default: nil
            }
        guard let kind else { throw CloudError.internalError("\(method) \(path.prefix(80)) was answered \(reply.status.code): \(message)") }
        throw CloudError(kind, message, code: error?["type"]?.string)
    }
}
