import CloudCore
import Foundation
import Telemetry
import TestSupport
import Testing

@testable import Durable

@Suite("Spans of workflows")
struct SpanTests {
    private struct Seen {
        let name: String
        let trace: String?
        let span: String?
        let parent: String?
        let status: JSON?
        let attributes: [String: JSON]

        init(_ line: Substring) throws {
            let resource = try JSON.parse(String(line))["resourceSpans"]?.array?.first
            let span = try #require(resource?["scopeSpans"]?.array?.first?["spans"]?.array?.first)
            name = span["name"]?.string ?? ""
            trace = span["traceId"]?.string
            self.span = span["spanId"]?.string
            parent = span["parentSpanId"]?.string
            status = span["status"]
            let pairs = (span["attributes"]?.array ?? []).map { attribute in
                let value = attribute["value"]
                return (attribute["key"]?.string ?? "", value?["stringValue"] ?? value?["intValue"] ?? .null)
            }
            attributes = Dictionary(pairs) { first, _ in first }
        }
    }

    /// Runs `body` with a plant that has spans.
    private func withSpans(
        _ body: @Sendable (Plant, SpanFile, _ seen: @Sendable () throws -> [Seen]) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { folder in
            let clock = ManualClock()
            let file = SpanFile(LineFile(path: folder + "/spans"), world: .test(clock: clock, seed: 2))
            try await Plant.with(.sqlite, clock: clock, spans: file) { plant in
                try await body(plant, file) {
                    file.forceFlush()
                    let text = try String(contentsOfFile: folder + "/spans", encoding: .utf8)
                    return try text.split(separator: "\n").map(Seen.init)
                }
            }
        }
    }

    @Test("A workflow and its steps are parts of the request's trace, whoever carries them out")
    func steps() async throws {
        try await withSpans { plant, file, seen in
            let request = TraceParent(trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331")
            file.setPlace(request, of: "req-1")
            let id = try await plant.create(requestID: "req-1")
            file.setPlace(nil, of: "req-1")
            try await plant.settle(plant.runner("a"))
            try await plant.answer()
            plant.clock.advance(by: .seconds(1))
            try await plant.settle(plant.runner("b"))
            plant.clock.advance(by: .seconds(5))
            try await plant.settle(plant.runner("b"))
            let row = try await plant.row(id)
            #expect(row.status == .succeeded && row.trace == request.description)
            let spans = try seen()
            let whole = try #require(spans.last)
            #expect(whole.name == "sample.machine.create" && whole.parent == request.span)
            #expect(whole.span == id.text.filter { $0 != "-" }.suffix(16).lowercased())
            #expect(spans.allSatisfy { $0.trace == request.trace && $0.attributes["novella.request_id"] == "req-1" })
            #expect(spans.dropLast().allSatisfy { $0.parent == whole.span && $0.status == [:] })
            let steps = Set(spans.dropLast().compactMap { $0.attributes["novella.step"]?.string })
            #expect(steps.isSuperset(of: ["ensure-disk", "boot", "until-running", "settle"]))
            #expect(whole.attributes["novella.status"] == "succeeded" && whole.status == [:])
        }
    }

    @Test("A failed step and its workflow say so; without a request the trace is the workflow's own")
    func failures() async throws {
        try await withSpans { plant, _, seen in
            let id = try await plant.create()
            let faults = FaultPlan { $0 == .init("boot", .forward, .body) ? .fail(.conflict("no room")) : nil }
            try await plant.settle(plant.runner("a", faults: faults))
            #expect(try await plant.row(id).status == .unwound)
            let spans = try seen()
            let failed = spans.filter { $0.name == "sample.machine.create boot" }
            #expect(failed.map { $0.status?["code"] } == [2])
            #expect(failed.first?.status?["message"]?.string?.contains("no room") == true)
            #expect(spans.contains { $0.name == "sample.machine.create undo ensure-disk" && $0.status == [:] })
            let whole = try #require(spans.last)
            #expect(whole.parent == nil && whole.trace == id.text.filter { $0 != "-" }.lowercased())
            #expect(whole.status?["code"] == 2 && whole.attributes["novella.status"] == "unwound")
        }
    }

    @Test("Without a file nothing is noted with a workflow")
    func off() async throws {
        try await Plant.with(.sqlite) { plant in
            let id = try await plant.create(requestID: "req-0af76519-16cd-43dd-8448-eb211c80319c")
            #expect(try await plant.row(id).trace == nil)
        }
    }
}
