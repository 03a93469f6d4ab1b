import CloudCore
import Foundation
import HTTPKit
import Telemetry
import TestSupport
import Testing

@Suite("Budgets of requests to a server")
struct RequestBudgetTests {
    private func cutOff(_ server: TestServer, _ reason: String) async -> Bool {
        let wanted =
            "novella_http_requests_cut_off_total{service=\"sample\",route=\"GET /endless\",reason=\"\(reason)\"} 1"
        return await server.metrics.text().contains(wanted)
    }

    @Test("A request that takes too long gets a 503 in the service's envelope, and is counted")
    func late() async throws {
        try await TestServer.run { $0.requestTime = .milliseconds(50) } _: { server in
            let answer = try await server.ask("GET", "/sample/endless")
            #expect(answer.status == 503)
            #expect(answer["Retry-After"] == "1")
            #expect(answer.json["wrong"]?["message"]?.string == Budget.cutOff.message)
            #expect(await cutOff(server, "late"))
            // The connection and the server are fit for more.
            #expect(try await server.ask("GET", "/sample/things").status == 200)
        }
    }

    @Test("A request ends when its connection breaks")
    func reset() async throws {
        try await TestServer.run { server in
            try await server.connect { wire in
                try await wire.send("GET /sample/endless HTTP/1.1\r\nHost: cloud.test\r\n\r\n")
                // The server answers another connection's request after this one's work has begun.
                #expect(try await server.ask("GET", "/sample/things").status == 200)
                try await wire.breakOff()
            }
            try await eventually("the request is cut off") { await cutOff(server, "client left") }
        }
    }

    @Test("A client that closes its side has some time left, and then its request ends")
    func halfClosed() async throws {
        try await TestServer.run { $0.settings.halfClosedDeadline = .milliseconds(50) } _: { server in
            try await server.connect { wire in
                try await wire.send("GET /sample/endless HTTP/1.1\r\nHost: cloud.test\r\n\r\n")
                wire.finish()
                #expect(try await wire.answer().status == 503)
            }
            #expect(await cutOff(server, "late"))
        }
    }

    /// The limit of the time for which one request may hold an event loop, in nanoseconds of the thread's own time.
    private static let mostHold = 50_000_000

    @Test(
        "No request holds an event loop for more than 50 ms of the thread's own time",
        arguments: ["/numbers?count=200000", "/things", "/json"])
    func holds(target: String) async throws {
        let holds = LoopHolds()
        holds.countThreadTime()
        try await TestServer.run { $0.holds = holds } _: { server in
            if target == "/json" {
                let body = #"{"a": [\#((0..<45_000).map(String.init).joined(separator: ", "))]}"#
                let answer = try await server.ask(
                    "POST", "/long/members", ["Content-Type: application/json"], body: body)
                #expect(answer.json["count"]?.integer == 1)
            } else {
                let answer = try await server.ask("GET", "/sample" + target)
                #expect(answer.status == 200)
            }
            #expect(holds.longest < Self.mostHold)
            #expect(await server.metrics.text().contains("novella_event_loop_longest_hold_seconds "))
        }
    }
}
