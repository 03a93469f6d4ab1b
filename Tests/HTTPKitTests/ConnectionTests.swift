import CloudCore
import HTTPKit
import NIOCore
import TestSupport
import Testing

/// Connections that break the rules, and the way in which they end.
@Suite(.timeLimit(.minutes(10))) struct ConnectionTests {
    @Test("A connection is kept, and pipelined requests are answered in order")
    func pipelining() async throws {
        try await TestServer.connect { server, wire in
            let targets = ["/sample/held", "/sample/things/1", "/sample/nothing", "/sample/things/2"]
            try await wire.send(targets.map { "GET \($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined())
            try await eventually { await server.gate.waiting == 1 }
            await server.gate.open()
            #expect(try await wire.answer().text == "held")
            #expect(try await wire.answer().json["id"]?.string == "1")
            #expect(try await wire.answer().status == 404)
            #expect(try await wire.answer().json["id"]?.string == "2")
            for _ in 1...50 { #expect(try await wire.ask("GET", "/sample/things").status == 200) }
        }
    }

    @Test("A connection ends after the answer if its client asks for that")
    func close() async throws {
        try await TestServer.run { server in
            try await server.connect { wire in
                let answer = try await wire.ask("GET", "/sample/things", ["Connection: close"])
                #expect(answer.status == 200)
                #expect(answer["Connection"] == "close")
                #expect(await wire.ends())
            }
            // All of a large answer arrives before the end.
            try await server.connect { wire in
                let answer = try await wire.ask("GET", "/sample/large?size=20000000", ["Connection: close"])
                #expect(answer.body.count == 20_000_000)
                #expect(await wire.ends())
            }
        }
    }

    @Test("HTTP/1.0 requests are answered in HTTP/1.0")
    func old() async throws {
        try await TestServer.run { server in
            try await server.connect { wire in
                try await wire.send("GET /sample/things/old HTTP/1.0\r\n\r\n")
                let answer = try await wire.answer()
                #expect(answer.version == "HTTP/1.0")
                #expect(answer.json["id"]?.string == "old")
                #expect(answer["Connection"] == "close")
                #expect(await wire.ends())
            }
            try await server.connect { wire in
                try await wire.send("GET /sample/things HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                #expect(try await wire.answer()["Connection"] == "keep-alive")
                try await wire.send("GET /sample/stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                let stream = try await wire.answer()
                #expect(stream["Transfer-Encoding"] == nil)
                #expect(stream.text == "one two three")
            }
        }
    }

    @Test("A stream of unknown length is chunked, and one of known length is not")
    func streams() async throws {
        try await TestServer.connect { _, wire in
            let chunked = try await wire.ask("GET", "/sample/stream")
            #expect(chunked["Transfer-Encoding"] == "chunked")
            #expect(chunked.text == "one two three")
            let plain = try await wire.ask("GET", "/sample/stream?length=13")
            #expect(plain["Content-Length"] == "13")
            #expect(plain.text == "one two three")
        }
    }

    @Test(
        "Malformed HTTP is a 400 in the envelope and ends the connection",
        arguments: [
            "nonsense\r\n\r\n", "GET / HTTP/9.9\r\nHost: x\r\n\r\n", "\u{16}\u{3}\u{1}\r\n\r\n", "GET /sample/things HTTP/1.1\r\nHost x\r\n\r\n",
            "GET /sample/things HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n", "GET /sample/things HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            "GET /sample/things HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "POST /sample/things HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "GET /sample/things HTTP/1.1\r\n\r\n", "GET /sample/things HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GOT /sample/things HTTP/1.1\r\nHost: x\r\n\r\n",
        ])
    func malformed(bytes: String) async throws {
        try await TestServer.run { server in
            try await server.connect { wire in
                try await wire.send(bytes)
                let answer = try await wire.answer()
                #expect(answer.status == 400)
                #expect(answer.json["wrong"]?["status"]?.integer == 400)
                #expect(answer["x-openstack-request-id"]?.hasPrefix("req-") == true)
                #expect(answer["Connection"] == "close")
                #expect(await wire.ends())
            }
            // Behind a good request, the same bytes are refused after that request is answered.
            try await server.connect { wire in
                try await wire.send("GET /sample/held HTTP/1.1\r\nHost: x\r\n\r\n" + bytes)
                try await eventually { await server.gate.waiting == 1 }
                await server.gate.open()
                #expect(try await wire.answer().text == "held")
                #expect(try await wire.answer().status == 400)
                #expect(await wire.ends())
            }
        }
    }

    @Test("Headers beyond the limit are a 431 in the envelope and end the connection")
    func largeHeaders() async throws {
        try await TestServer.run { $0.settings.headerLimit = 8192 } _: { server in
            let many = (1...201).map { "A\($0): b" }
            for headers in [["A: " + String(repeating: "x", count: 9000)], (1...20).map { "A\($0): " + String(repeating: "x", count: 500) }, many] {
                try await server.connect { wire in
                    let answer = try await wire.ask("GET", "/sample/things", headers)
                    #expect(answer.status == 431)
                    #expect(answer.json["wrong"]?["status"]?.integer == 431)
                    #expect(await wire.ends())
                }
            }
            #expect(try await server.ask("GET", "/sample/things", ["A: " + String(repeating: "x", count: 7000)]).status == 200)
        }
    }

    @Test("A client that never completes a head is cut off at the deadline, even if it sends a byte now and then")
    func drip() async throws {
        try await TestServer.run { $0.settings.headDeadline = .milliseconds(300) } _: { server in
            try await server.connect { wire in #expect(await wire.ends()) }
            try await server.connect { wire in
                // On a busy machine the deadline may pass before the first bytes are sent.
                try? await wire.send("GET /sample/things HTTP/1.1\r\nHost: x\r\nA: ")
                try await wire.sendInVain("x")
            }
            // The time runs from the answer on, and not while a request is under way. On a busy machine the deadline may
            // pass before a request was sent, so another connection tries again.
            var isHeld = false
            for _ in 1...50 where !isHeld {
                try await server.connect { wire in
                    try await wire.send("GET /sample/held HTTP/1.1\r\nHost: x\r\n\r\n")
                    isHeld = (try? await eventually(within: .seconds(2)) { await server.gate.waiting > 0 }) != nil
                    guard isHeld else { return }
                    await server.gate.open()
                    #expect(try await wire.answer().status == 200)
                    #expect(await wire.ends())
                }
            }
            #expect(isHeld, "no request came through in time")
        }
    }

    @Test("A client that does not read its answer is cut off")
    func untaken() async throws {
        try await TestServer.connect { $0.settings.silenceDeadline = .milliseconds(300) } _: { _, wire in
            try await wire.send("GET /sample/large?size=60000000 HTTP/1.1\r\nHost: x\r\n\r\n")
            try await wire.sendInVain("x")
            await #expect(throws: Wire.Ended.self) { _ = try await wire.answer() }
        }
    }

    @Test("A client that closes its sending side still gets its answers")
    func halfClosed() async throws {
        try await TestServer.run { server in
            try await server.connect { wire in
                try await wire.send("GET /sample/held HTTP/1.1\r\nHost: x\r\n\r\nGET /sample/things/2 HTTP/1.1\r\nHost: x\r\n\r\n")
                wire.finish()
                try await eventually { await server.gate.waiting == 1 }
                await server.gate.open()
                #expect(try await wire.answer().text == "held")
                #expect(try await wire.answer().json["id"]?.string == "2")
                #expect(await wire.ends())
            }
            try await server.connect { wire in
                wire.finish()
                #expect(await wire.ends())
            }
        }
    }

    @Test("Connections beyond the limit wait until others end")
    func limit() async throws {
        try await TestServer.run { $0.settings.connectionLimit = 2 } _: { server in
            try await server.connect { first in
                #expect(try await first.ask("GET", "/sample/things").status == 200)
                try await server.connect { second in
                    #expect(try await second.ask("GET", "/sample/things").status == 200)
                    async let third = server.ask("GET", "/sample/held")
                    #expect(try await second.ask("GET", "/sample/things").status == 200)
                    #expect(await server.gate.waiting == 0)
                    #expect(try await first.ask("GET", "/sample/things", ["Connection: close"]).status == 200)
                    #expect(await first.ends())
                    try await first.channel.close()
                    try await eventually { await server.gate.waiting == 1 }
                    await server.gate.open()
                    #expect(try await third.text == "held")
                }
            }
        }
    }

    @Test("A drain completes running requests, closes idle connections and makes run() return")
    func drain() async throws {
        try await TestServer.run { server in
            try await server.connect { idle in
                #expect(try await idle.ask("GET", "/sample/things").status == 200)
                try await server.connect { busy in
                    try await busy.send("GET /sample/held HTTP/1.1\r\nHost: x\r\n\r\n")
                    try await eventually { await server.gate.waiting == 1 }
                    await server.drain()
                    #expect(await idle.ends())
                    await #expect(throws: (any Error).self) { _ = try await server.ask("GET", "/sample/things") }
                    await server.gate.open()
                    let answer = try await busy.answer()
                    #expect(answer.text == "held")
                    #expect(answer["Connection"]?.lowercased() == "close")
                    #expect(await busy.ends())
                }
            }
        }
    }
}
