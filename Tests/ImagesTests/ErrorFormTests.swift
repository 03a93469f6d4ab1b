import CloudCore
import HTTPTypes
import TestSupport
import Testing

@Suite("Images: forms of errors")
struct ErrorFormTests {
    private func missing(_ stage: ImagesStage, _ accept: String?, id: String = "there-is-none") async -> TestCloud.Response {
        let headers: HTTPFields = accept.map { [.accept: $0] } ?? [:]
        return await stage.cloud.send(.get, "/image/v2/images/\(id)", token: stage.demo, headers: headers)
    }

    @Test("An error has the form that the client prefers: HTML, JSON, or plain text if it accepts neither")
    func forms() async throws {
        try await ImagesStage.run { stage in
            for accept in ["*/*", "text/html", "text/html,application/xhtml+xml,*/*;q=0.8"] {
                let answer = await missing(stage, accept)
                #expect(answer.status == .notFound)
                #expect(answer.headers[.contentType] == "text/html; charset=UTF-8", "\(accept)")
                #expect(answer.text.contains("<title>404 Not Found</title>"))
            }
            for accept in ["application/json", "application/*", "text/html;q=0.1, application/json"] {
                let answer = await missing(stage, accept)
                #expect(answer.headers[.contentType] == "application/json", "\(accept)")
                #expect(answer.json["code"] == "404 Not Found" && answer.json["title"] == "Not Found")
                #expect(answer.json["message"]?.string?.contains("there-is-none") == true)
            }
            for accept in [nil, "", "text/plain", "image/png"] {
                let answer = await missing(stage, accept)
                #expect(answer.headers[.contentType] == "text/plain; charset=UTF-8", "\(accept ?? "none")")
                #expect(answer.text.hasPrefix("404 Not Found\n\n") && answer.text.contains("there-is-none"))
            }
        }
    }

    @Test("An HTML error escapes the text of the client")
    func escaped() async throws {
        try await ImagesStage.run { stage in
            let name = "<script>alert(\"1\")</script>&'"
            let answer = await stage.cloud.send(
                .get, "/image/v2/images?sort_key=%3Cscript%3Ealert(%221%22)%3C/script%3E%26%27", token: stage.demo, headers: [.accept: "*/*"])
            #expect(answer.status == .badRequest)
            #expect(!answer.text.contains(name) && !answer.text.contains("<script"))
            #expect(answer.text.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#x27;"), "\(answer.text)")
        }
    }

    @Test("Without its tags, an HTML error has its status and its message once each, on separate lines")
    func readByClients() async throws {
        try await ImagesStage.run { stage in
            let page = await missing(stage, "*/*").text
            var inTag = false
            let plain = page.filter { letter in
                if letter == "<" { inTag = true }
                defer { if letter == ">" { inTag = false } }
                return !inTag
            }
            var lines: [String] = []
            for line in plain.split(separator: "\n").map({ $0.trimmingPrefix(while: \.isWhitespace) }) where !line.isEmpty && !lines.contains(String(line)) {
                lines.append(String(line))
            }
            #expect(lines.count == 2 && lines.first == "404 Not Found", "\(lines)")
            #expect(lines.last?.contains("there-is-none") == true)
        }
    }

    @Test("Compute reports errors of images in its own envelope")
    func throughCompute() async throws {
        try await ImagesStage.run { stage in
            let answer = await stage.cloud.send(.get, "/compute/v2.1/images/there-is-none", token: stage.demo)
            #expect(answer.status == .notFound)
            #expect(answer.json["itemNotFound"]?["message"]?.string?.isEmpty == false, "\(answer.text)")
        }
    }
}
