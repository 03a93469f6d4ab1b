import CloudCore
import HTTPKit
import TestSupport
import Testing

/// Tests over a real socket of the bodies that are taken and refused, and the time of a refusal.
@Suite(.timeLimit(.minutes(10))) struct BodyTests {
    private static let json = "Content-Type: application/json"

    @Test("A body must be a JSON object with a JSON content type or none")
    func rules() async throws {
        try await TestServer.connect { _, wire in
            func status(_ body: String?, _ headers: [String] = [Self.json], _ path: String = "/sample/things") async throws -> Int {
                try await wire.ask("POST", path, headers, body: body).status
            }
            let echo = try await wire.ask("POST", "/sample/things", [Self.json], body: #"{"a": [1, null]}"#)
            #expect(echo.text == #"{"a":[1,null]}"#)
            for type in ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.x+json"] {
                #expect(try await status("{}", ["Content-Type: \(type)"]) == 200, "\(type)")
            }
            #expect(try await status("{}", []) == 200)
            for type in ["text/xml", "application/xml", "multipart/form-data", "application/octet-stream", "text/json2"] {
                #expect(try await status("{}", ["Content-Type: \(type)"]) == 415, "\(type)")
            }
            for body in [nil, "", "[]", "1", "\"x\"", "null", "{", "{}}", "{\"a\":1,}", "{\"a\": NaN}", "\u{feff}{}"] {
                #expect(try await status(body) == 400, "\(body ?? "none")")
            }
            #expect(try await status(nil, [], "/sample/maybe") == 200)
            #expect(try await status("", [Self.json], "/sample/maybe") == 200)
            #expect(try await status("[]", [Self.json], "/sample/maybe") == 400)
        }
    }

    @Test("A chunked body is read with and without a content type")
    func chunked() async throws {
        try await TestServer.connect { _, wire in
            for path in ["/sample/things", "/sample/maybe"] {
                for type in ["", Self.json + "\r\n"] {
                    try await wire.send("POST \(path) HTTP/1.1\r\nHost: x\r\n\(type)Transfer-Encoding: chunked\r\n\r\n")
                    for part in ["4\r\n{\"a\"\r\n", "1;x=y\r\n:\r\n", "2\r\n1}\r\n", "0\r\nTrailer: t\r\n\r\n"] { try await wire.send(part) }
                    let answer = try await wire.answer()
                    #expect(answer.text == #"{"a":1}"#, "\(path) \(answer.text)")
                }
            }
            try await wire.send("POST /sample/maybe HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
            #expect(try await wire.answer().text == "{}")
        }
    }

    @Test("A body that is read in pieces has no limit and no deadline, but needs a pace and must be complete")
    func pieces() async throws {
        try await TestServer.run({ $0.patience.whole = .zero }) { server in
            try await server.connect { wire in
                let answer = try await wire.ask("POST", "/sample/pieces", [], body: String(repeating: "x", count: 1_000_000))
                #expect(answer.json["count"] == 1_000_000)
                #expect(answer.json["length"] == 1_000_000)
                #expect((answer.json["pieces"]?.integer ?? 0) > 1)
                #expect(try await wire.ask("POST", "/sample/pieces", [], body: "").json["count"] == 0)
                try await wire.send("POST /sample/pieces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
                for part in ["2\r\nab\r\n", "1\r\nc\r\n", "0\r\n\r\n"] { try await wire.send(part) }
                #expect(try await wire.answer().json["count"] == 3)
            }
            try await server.connect { wire in
                try await wire.send("POST /sample/pieces HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
                wire.finish()
                #expect(try await wire.answer().status == 400)
            }
        }
    }

    @Test("A client that sends slower than the required pace gets a 408, even if it never falls silent")
    func pace() async throws {
        try await TestServer.run({
            $0.patience.pace.window = .zero
            $0.patience.pace.least = 100
        }) { server in
            try await server.connect { wire in
                try await wire.send("POST /sample/pieces HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
                try await wire.send("x")
                let answer = try await wire.answer()
                #expect(answer.status == 408)
                #expect(answer["Connection"] == "close")
            }
            #expect(try await server.ask("POST", "/sample/pieces", [], body: String(repeating: "x", count: 1000)).json["count"] == 1000)
        }
    }

    @Test("A long body is read only for a caller with a role; a short one is left to the route")
    func longNeedsRole() async throws {
        try await TestServer.run { server in
            let long = #"{"a": "\#(String(repeating: "x", count: Body.longFrom))"}"#
            #expect(try await server.ask("POST", "/guarded/things", [Self.json], body: #"{"a": 1}"#).json["count"] == 1)
            #expect(try await server.ask("POST", "/guarded/things", [Self.json], body: long).status == 401)
            try await server.connect { wire in
                // The same holds if the request does not state the length.
                try await wire.send("POST /guarded/things HTTP/1.1\r\nHost: x\r\n\(Self.json)\r\nTransfer-Encoding: chunked\r\n\r\n")
                try await wire.send(String(long.utf8.count, radix: 16) + "\r\n" + long + "\r\n0\r\n\r\n")
                #expect(try await wire.answer().status == 401)
            }
        }
    }

    @Test("A body with too many values is refused, and a long body is parsed like a short one")
    func values() async throws {
        try await TestServer.run { server in
            func ask(_ body: String) async throws -> Wire.Answer { try await server.ask("POST", "/long/things", [Self.json], body: body) }
            let most = #"{"a":[\#((0..<Body.mostValues - 2).map { _ in "1" }.joined(separator: ","))]}"#
            let echo = try await ask(most)
            #expect(echo.status == 200)
            #expect(echo.json["a"]?.array?.count == Body.mostValues - 2)
            let more = try await ask(most.replacing("[1,", with: "[1,1,"))
            #expect(more.status == 400)
            #expect(more.json["wrong"]?["message"]?.string?.contains("more than \(Body.mostValues) values") == true, "\(more.text)")
        }
    }

    @Test("A body whose stated length is too large is refused before it is sent")
    func declaredTooLarge() async throws {
        try await TestServer.run { server in
            try await server.connect { wire in
                try await wire.send("POST /sample/bytes HTTP/1.1\r\nHost: x\r\nContent-Length: 60001\r\n\r\n")
                let answer = try await wire.answer()
                #expect(answer.status == 413)
                #expect(answer.json["wrong"]?["status"]?.integer == 413)
                #expect(answer["Connection"] == "close")
                #expect(await wire.ends())
            }
            try await server.connect { wire in
                let whole = try await wire.ask("POST", "/sample/bytes", body: String(repeating: "x", count: 60_000))
                #expect(whole.json["count"]?.integer == 60_000)
            }
        }
    }

    @Test("A chunked body is refused at the limit, and no more of it is read")
    func endless() async throws {
        try await TestServer.connect { _, wire in
            try await wire.send("POST /sample/bytes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            let part = "4000\r\n" + String(repeating: "x", count: 0x4000) + "\r\n"
            for _ in 1...8 { try await wire.send(part) }
            let answer = try await wire.answer()
            #expect(answer.status == 413)
            #expect(answer["Connection"] == "close")
            // A client that keeps sending is cut off.
            try await wire.sendInVain(part)
        }
    }

    @Test("A body that does not come is a 408 at its deadline and ends the connection")
    func missing() async throws {
        try await TestServer.run { $0.patience.whole = .milliseconds(200) } _: { server in
            for head in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
                try await server.connect { wire in
                    try await wire.send("POST /sample/bytes HTTP/1.1\r\nHost: x\r\n\(head)\r\n\r\n")
                    let answer = try await wire.answer()
                    #expect(answer.status == 408)
                    #expect(answer.json["wrong"]?["status"]?.integer == 408)
                    #expect(answer["Connection"] == "close")
                    #expect(await wire.ends())
                }
            }
            #expect(try await server.ask("GET", "/sample/things").status == 200)
        }
    }

    @Test("A client that falls silent within a body gets a 408 before the body's own deadline")
    func silent() async throws {
        try await TestServer.connect { $0.settings.silenceDeadline = .milliseconds(200) } _: { _, wire in
            try await wire.send("POST /sample/bytes HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123")
            #expect(try await wire.answer().status == 408)
            #expect(await wire.ends())
        }
    }

    @Test("A body that breaks off is never taken for a whole one", arguments: ["Content-Length: 10", "Transfer-Encoding: chunked"])
    func brokenOff(framing: String) async throws {
        try await TestServer.run { server in
            try await server.connect { wire in
                let part = framing.hasPrefix("C") ? "{}" : "2\r\n{}\r\n"
                try await wire.send("POST /sample/maybe HTTP/1.1\r\nHost: x\r\n\(framing)\r\n\r\n\(part)")
                wire.finish()
                let answer = try await wire.answer()
                #expect(answer.status == 400, "\(answer.text)")
                #expect(answer.json["wrong"]?["status"]?.integer == 400)
                #expect(await wire.ends())
            }
            #expect(server.logged.value.filter { $0.contains("a request failed") } == [], "it is nobody's bug")
        }
    }

    @Test("A client that keeps sending after malformed HTTP still gets its answer")
    func brokenAndMore() async throws {
        try await TestServer.connect { _, wire in
            try await wire.send("POST /sample/bytes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n")
            // The client sends far more than the limit of a head, in pieces.
            for _ in 1...40 { try await wire.send(String(repeating: "X-A: b\r\n", count: 500)) }
            let answer = try await wire.answer()
            #expect(answer.status == 400)
            #expect(answer["Connection"] == "close")
        }
    }

    @Test("A client that sends Expect: 100-continue is told to continue, or refused")
    func expectation() async throws {
        try await TestServer.run { server in
            let ask = ["Expect: 100-continue"]
            try await server.connect { wire in
                try await wire.send("POST /sample/bytes HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
                #expect(try await wire.answer().status == 100)
                try await wire.send("12345")
                #expect(try await wire.answer().json["count"]?.integer == 5)
                // A client that sends its body without waiting gets no second answer.
                var answer = try await wire.ask("POST", "/sample/bytes", ask, body: "123")
                if answer.status == 100 { answer = try await wire.answer() }
                #expect(answer.json["count"]?.integer == 3)
                let head = "POST /sample/bytes HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                try await wire.send("\(head)Content-Length: 60001\r\n\r\n")
                #expect(try await wire.answer().status == 413)
                #expect(await wire.ends())
            }
            try await server.connect { wire in
                try await wire.send("POST /sample/unread HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
                let answer = try await wire.answer()
                #expect(answer.status == 200)
                // The server could not tell whether the five bytes or the next request come now.
                #expect(answer["Connection"] == "close")
                #expect(await wire.ends())
            }
        }
    }

    @Test("A small unread body is skipped, and a large one ends the connection")
    func unread() async throws {
        try await TestServer.run { server in
            try await server.connect { wire in
                try await wire.send("POST /sample/unread HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
                let early = try await wire.answer()
                #expect(early.text == "unread")
                #expect(early["Connection"] == nil)
                try await wire.send("12345")
                #expect(try await wire.ask("GET", "/sample/things").status == 200)
                try await wire.send("POST /sample/unread HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
                #expect(try await wire.answer()["Connection"] == "close")
                #expect(await wire.ends())
            }
            try await server.connect { wire in
                try await wire.send("POST /sample/nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
                let answer = try await wire.answer()
                #expect(answer.status == 404)
                #expect(answer["Connection"] == "close")
            }
        }
    }
}
