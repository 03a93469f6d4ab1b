import CloudCore
import HTTPKit
import HTTPTypes

/// The form of Images' errors: the type that the client prefers, as in the reference. HTML is the default, because
/// `python-glanceclient` accepts anything and cannot read an error's JSON.
struct ImagesEnvelope: ErrorEnvelope {
    func reply(_ error: CloudError, _ status: HTTPResponse.Status, _ context: ErrorContext) -> Reply {
        let title = "\(status.code) \(status.reasonPhrase)"
        switch MediaRanges(context.accept ?? "").best(of: ["text/html", "application/json"]) {
        case "text/html": return .text(status, Self.page(title, error.message), type: "text/html; charset=UTF-8")
        case "application/json":
            return .json(status) { json in
                json.member("message", error.message)
                json.member("code", title)
                json.member("title", status.reasonPhrase)
            }
        default: return .text(status, "\(title)\n\n\(error.message)\n", type: "text/plain; charset=UTF-8")
        }
    }

    /// Returns the HTML page of an error. The message has a line of its own, because clients remove the tags line by
    /// line.
    private static func page(_ title: String, _ message: String) -> String {
        """
        <html>
         <head><title>\(title)</title></head>
         <body>
          <h1>\(title)</h1>
          <p>\(escaped(message))</p>
         </body>
        </html>

        """
    }

    /// Returns the text escaped for a page and for an attribute.
    private static func escaped(_ text: String) -> String {
        var page = ""
        for letter in text.unicodeScalars {
            switch letter {
            case "&": page += "&amp;"
            case "<": page += "&lt;"
            case ">": page += "&gt;"
            case "\"": page += "&quot;"
            case "'": page += "&#x27;"
            default: page.unicodeScalars.append(letter)
            }
        }
        return page
    }
}
