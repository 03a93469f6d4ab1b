import CloudCore
import HTTPKit
import HTTPTypes

/// The form of Placement's errors: `{"errors": [{"status": 404, "title": "Not Found", "detail": "…"}]}`.
struct PlacementEnvelope: ErrorEnvelope {
    private static let codesSince = Microversion(1, 23)

    func reply(_ error: CloudError, _ status: HTTPResponse.Status, _ context: ErrorContext) -> Reply {
        if let accept = context.accept, MediaTypes.wantsPage(accept) { return page(error, status) }
        return .json(status) { json in
            json.array("errors", of: [error]) { json, error in
                json.object { json in
                    json.member("status", status.code)
                    json.member("title", status.reasonPhrase)
                    json.member("detail", error.message)
                    if let version = context.microversion, version >= Self.codesSince {
                        json.member("code", error.code ?? PlacementCode.undefined)
                    }
                    json.member("request_id", context.requestID)
                    // The client has sent no supported version, so the reply tells it the supported ones.
                    if status == .notAcceptable, context.microversion == nil, let range = context.microversions {
                        json.member("max_version", range.maximum.description)
                        json.member("min_version", range.minimum.description)
                    }
                }
            }
        }
    }

    private func page(_ error: CloudError, _ status: HTTPResponse.Status) -> Reply {
        let text = error.message.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
        return .text(
            status, "<html><head><title>\(status.code) \(status.reasonPhrase)</title></head><body><p>\(text)</p></body></html>\n",
            type: "text/html; charset=utf-8")
    }
}

/// The media types that an `Accept` header allows (RFC 9110 section 12.5.1).
enum MediaTypes {
    static func acceptsJSON(_ accept: String) -> Bool {
        let ranges = ranges(accept)
        return ranges.isEmpty || ranges.contains { ["*/*", "application/*", "application/json"].contains($0) }
    }

    /// Returns whether the header names HTML and does not accept JSON.
    static func wantsPage(_ accept: String) -> Bool { ranges(accept).contains("text/html") && !acceptsJSON(accept) }

    private static func ranges(_ accept: String) -> [String] {
        accept.split(separator: ",").compactMap { part in
            let words = part.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
            let isRefused = words.dropFirst().contains { $0.hasPrefix("q=") && Double($0.dropFirst(2)) == 0 }
            return isRefused ? nil : words.first
        }
    }
}
