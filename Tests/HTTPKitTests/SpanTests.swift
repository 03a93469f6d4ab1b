import CloudCore
import Foundation
import HTTPKit
import Telemetry
import TestSupport
import Testing

@Suite("Spans of requests")
struct SpanTests {
    private static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    private static func spans(_ path: String) throws -> [JSON] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
            let resource = try JSON.parse(String(line))["resourceSpans"]?.array?.first
            return try #require(resource?["scopeSpans"]?.array?.first?["spans"]?.array?.first)
        }
    }

    private static func attributes(_ span: JSON) -> [String: JSON] {
        let pairs = (span["attributes"]?.array ?? []).map { attribute in
            let value = attribute["value"]
            return (attribute["key"]?.string ?? "", value?["stringValue"] ?? value?["intValue"] ?? .null)
        }
        return Dictionary(pairs) { first, _ in first }
    }

    @Test("Each request has a span with its route and status, in the caller's trace or in one of its own")
    func requests() async throws {
        try await withTemporaryDirectory { folder in
            let file = SpanFile(LineFile(path: folder + "/spans"), world: .test())
            let given = Box("")
            try await TestServer.run { $0.spans = file } _: { server in
                let answer = try await server.ask("GET", "/sample/things/a?token=secret")
                given.value = answer["x-openstack-request-id"] ?? ""
                _ = try await server.ask("GET", "/sample/things/a", ["traceparent: \(Self.parent)"])
                _ = try await server.ask("GET", "/sample/nothing", ["traceparent: nonsense"])
                _ = try await server.ask("GET", "/nowhere")
            }
            file.forceFlush()
            let spans = try Self.spans(folder + "/spans")
            #expect(spans.map { $0["name"]?.string } == ["GET /things/{id}", "GET /things/{id}", "unknown", "none"])
            #expect(spans.allSatisfy { $0["kind"] == 2 })
            let first = Self.attributes(spans[0])
            #expect(first["http.route"] == "GET /things/{id}" && first["http.response.status_code"] == "200")
            #expect(first["http.request.method"] == "GET" && first["novella.service"] == "sample")
            #expect(first["novella.request_id"] == .string(given.value))
            #expect(spans[0]["traceId"]?.string == given.value.dropFirst(4).filter { $0 != "-" })
            #expect(spans[0]["parentSpanId"] == nil)
            #expect(spans[1]["traceId"] == "0af7651916cd43dd8448eb211c80319c")
            #expect(spans[1]["parentSpanId"] == "b7ad6b7169203331")
            #expect(spans[2]["parentSpanId"] == nil)
            #expect(Set(spans.compactMap { $0["spanId"]?.string }).count == 4)
            #expect(try !String(contentsOfFile: folder + "/spans", encoding: .utf8).contains("secret"))
        }
    }
}
