import CloudCore
import Foundation
import Telemetry
import TestSupport
import Testing
import Tracing

@Suite("Spans")
struct SpanFileTests {
    /// Returns the spans in the file, in the order in which they ended.
    static func spans(_ path: String) throws -> [JSON] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
            let trace = try JSON.parse(String(line))
            let resource = try #require(trace["resourceSpans"]?.array?.first)
            #expect(resource["resource"]?["attributes"]?.array?.first?["value"]?["stringValue"] == "novella")
            return try #require(resource["scopeSpans"]?.array?.first?["spans"]?.array?.first)
        }
    }

    @Test("A span is a line of OTLP's JSON, written when it ends, once")
    func line() async throws {
        try await withTemporaryDirectory { folder in
            let clock = ManualClock()
            let tracer = SpanFile(LineFile(path: folder + "/spans"), world: .test(clock: clock))
            let began = clock.now
            let span = tracer.startSpan("the name", context: .topLevel, ofKind: .server, at: began)
            span.attributes["text"] = "a \"word\""
            span.attributes["number"] = 5
            span.attributes["flag"] = true
            span.attributes["url.full"] = "http://host/?signature=secret"
            span.attributes["url.query"] = "signature=secret"
            span.addEvent(SpanEvent(name: "news", at: began))
            span.setStatus(SpanStatus(code: .error, message: "no"))
            span.end(at: began + .seconds(1))
            span.end(at: began + .seconds(2))
            tracer.forceFlush()
            let found = try Self.spans(folder + "/spans")
            #expect(found.count == 1)
            let nanoseconds = began.microseconds * 1000
            #expect(found[0]["traceId"]?.string?.count == 32 && found[0]["spanId"]?.string?.count == 16)
            #expect(found[0]["parentSpanId"] == nil)
            #expect(found[0]["name"] == "the name" && found[0]["kind"] == 2)
            #expect(found[0]["startTimeUnixNano"]?.string == "\(nanoseconds)")
            #expect(found[0]["endTimeUnixNano"]?.string == "\(nanoseconds + 1_000_000_000)")
            #expect(found[0]["status"] == ["message": "no", "code": 2])
            #expect(
                found[0]["attributes"] == [
                    ["key": "flag", "value": ["boolValue": true]], ["key": "number", "value": ["intValue": "5"]],
                    ["key": "text", "value": ["stringValue": "a \"word\""]],
                ])
            #expect(found[0]["events"]?.array?.first?["name"] == "news")
        }
    }

    @Test("A span within another is part of its trace, also by the header that a client sends")
    func parents() async throws {
        try await withTemporaryDirectory { folder in
            let world = World.test()
            let tracer = SpanFile(LineFile(path: folder + "/spans"), world: world)
            let outer = tracer.startSpan("outer", context: .topLevel, at: world.now)
            var headers: [String: String] = [:]
            tracer.inject(outer.context, into: &headers, using: Headers())
            var context = InstrumentationContext.topLevel
            tracer.extract(headers, into: &context, using: Headers())
            #expect(context.parent == outer.context.parent)
            tracer.startSpan("inner", context: context, at: world.now).end(at: world.now)
            outer.end(at: world.now)
            tracer.forceFlush()
            let found = try Self.spans(folder + "/spans")
            #expect(found.map { $0["name"] } == ["inner", "outer"])
            #expect(found[0]["traceId"] == found[1]["traceId"])
            #expect(found[0]["parentSpanId"] == found[1]["spanId"])
        }
    }

    private struct Headers: Extractor, Injector {
        func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
    }

    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let span = "b7ad6b7169203331"

    @Test(
        "A traceparent is read as W3C has it",
        arguments: [
            ("00-\(trace)-\(span)-01", true), ("00-\(trace)-\(span)-00", true), ("cc-\(trace)-\(span)-01-more", true),
            ("00-\(trace)-\(span)-01-more", false), ("ff-\(trace)-\(span)-01", false), ("00-\(trace)-\(span)", false),
            ("00-\(trace.uppercased())-\(span)-01", false),
            ("00-\(String(repeating: "0", count: 32))-\(span)-01", false),
            ("00-\(trace)-0000000000000000-01", false), ("00-\(trace.dropLast())-\(span)-01", false),
            ("", false), ("----", false),
            ("00-\(trace)-\(span)-0é", false),
        ])
    func traceParent(_ text: String, _ isGood: Bool) {
        let parent = TraceParent(text)
        #expect((parent != nil) == isGood)
        if isGood { #expect(parent == TraceParent(trace: Self.trace, span: Self.span)) }
    }

    @Test("A place follows from a UUID, and from nothing else")
    func derived() {
        let place = TraceParent(uuid: "req-0AF76519-16cd-43dd-8448-eb211c80319c")
        #expect(place == TraceParent(trace: Self.trace, span: "8448eb211c80319c"))
        #expect(place?.description == "00-\(Self.trace)-8448eb211c80319c-01")
        for text in ["", "req-", "0af76519-16cd-43dd-8448-eb211c80319", "zaf76519-16cd-43dd-8448-eb211c80319c"] {
            #expect(TraceParent(uuid: text) == nil)
        }
    }
}

@Suite("Files of lines")
struct LineFileTests {
    @Test("Lines are kept until there are many, and the file never grows past two parts")
    func parts() async throws {
        try await withTemporaryDirectory { folder in
            let path = folder + "/lines"
            let file = LineFile(path: path, partSize: 1000)
            file.add("first\n".utf8)
            #expect(!FileManager.default.fileExists(atPath: path))
            file.flush()
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "first\n")
            for number in 0..<100 {
                file.add("line \(number) \(String(repeating: "x", count: 90))\n".utf8)
                file.flush()
                let sizes = ["", ".1"].map { (try? Data(contentsOf: URL(filePath: path + $0)).count) ?? 0 }
                #expect(sizes.allSatisfy { $0 <= 1200 })
            }
            let text = try [".1", ""].map { try String(contentsOfFile: path + $0, encoding: .utf8) }.joined()
            #expect(text.contains("line 99 ") && text.contains("line 90 ") && !text.contains("first"))
            // Another process goes on where this one has ended.
            let other = LineFile(path: path, partSize: 1 << 20)
            other.add("after\n".utf8)
            other.flush()
            #expect(try String(contentsOfFile: path, encoding: .utf8).hasSuffix("\nafter\n"))
        }
    }

    @Test("A file that cannot be made loses lines and nothing else")
    func noFolder() {
        let file = LineFile(path: "/no/such/folder/lines")
        for _ in 0..<3 {
            file.add([UInt8](repeating: 10, count: 100_000))
            file.flush()
        }
    }
}
