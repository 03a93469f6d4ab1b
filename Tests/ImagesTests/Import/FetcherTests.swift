import CloudCore
import NIOCore
import TestSupport
import Testing

@testable import Images

/// Names for tests, each with its addresses at the first lookup, the second one and so on.
private final class Names: HostResolver {
    private let names: Box<[String: [[String]]]>
    private let asked = Box<[String]>([])

    init(_ names: [String: [[String]]]) { self.names = Box(names) }

    var queries: [String] { asked.value }

    func addresses(of name: String, _ turn: LookUpTurns.Turn) async throws -> [IPAddress] {
        asked.update { $0.append(name) }
        var answer: [String] = []
        names.update { names in
            guard var rest = names[name], let first = rest.first else { return }
            answer = first
            if rest.count > 1 { rest.removeFirst() }
            names[name] = rest
        }
        return answer.compactMap { IPAddress($0) }
    }
}

@Suite("Fetching")
struct FetcherTests {
    private static let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }

    private func fetcher(
        _ port: Int, _ names: Names = Names(["mirror.test": [["127.0.0.1"]]]), private hosts: [String] = ["mirror.test"],
        allowed: [String] = [], disallowed: [String] = [], own: Set<IPAddress> = []
    ) throws -> Fetcher {
        var fetcher = Fetcher(rules: try FetchRules(allowed: allowed, disallowed: disallowed, private: hosts, ports: [80, 443, port]))
        fetcher.resolver = names
        fetcher.ownAddresses = { own }
        return fetcher
    }

    private func bytes(_ fetcher: Fetcher, _ url: String, most: Int64 = 1 << 20) async throws -> [UInt8] {
        try await fetcher.fetch(url, for: "p", most: most) { download in
            var bytes: [UInt8] = []
            for try await part in download { bytes += part.readableBytesView }
            return bytes
        }
    }

    private func refusal(_ fetcher: Fetcher, _ url: String, most: Int64 = 1 << 20) async throws -> CloudError? {
        await #expect(throws: CloudError.self, "\(url)") { _ = try await bytes(fetcher, url, most: most) }
    }

    @Test("An allowed URL is fetched with its name, from the address that was checked")
    func fetches() async throws {
        try await ScriptedServer.run({ _ in .body(Self.content) }) { server in
            // Only this test's resolver knows the name, so the request arrives only if the name was resolved here.
            let names = Names(["mirror.test": [["127.0.0.1"]]])
            let got = try await bytes(fetcher(server.port, names), "http://mirror.test:\(server.port)/disk.img?x=1")
            #expect(got == Self.content)
            #expect(names.queries == ["mirror.test"])
            let request = try #require(server.requests.first)
            #expect(request.hasPrefix("GET /disk.img?x=1 HTTP/1.1\r\n"))
            #expect(request.lowercased().contains("host: mirror.test:\(server.port)\r\n"))
            #expect(!request.lowercased().contains("authorization") && !request.lowercased().contains("cookie"))
        }
    }

    @Test("ossa_2026_004 A name is not resolved again after its address was checked")
    func ossa_2026_004_rebinding() async throws {
        try await ScriptedServer.run({ target in target == "/a" ? .redirect(to: "/b") : .body([1]) }) { server in
            let names = Names(["mirror.test": [["127.0.0.1"], ["10.0.0.1"]], "evil.test": [["192.0.2.1"]]])
            let url = "http://mirror.test:\(server.port)/a"
            // The second hop is checked again, and its address is refused although the name is the same.
            let fetcher = try fetcher(server.port, names, private: ["127.0.0.0/8"])
            let error = try await refusal(fetcher, url)
            #expect(error?.code == "uri_refused")
            #expect(names.queries == ["mirror.test", "mirror.test"])
            #expect(server.requests.count == 1)
        }
    }

    @Test(
        "ossa_2026_004 Each hop of a redirect is checked like the first",
        arguments: [
            "http://127.0.0.1:PORT/", "http://[::ffff:127.0.0.1]:PORT/", "http://169.254.169.254/latest/meta-data/", "http://localhost:PORT/",
            "http://inside.test:PORT/", "http://mixed.test:PORT/", "file:///etc/passwd", "http://mirror.test:6379/", "http://u:p@mirror.test:PORT/",
            "http://2130706433:PORT/", "//127.0.0.1:PORT/", "gopher://mirror.test:PORT/", "http://unknown.test/",
        ], ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"])
    func ossa_2026_004_redirects(location: String, status: String) async throws {
        let requests = Box(0)
        let target = Box("")
        try await ScriptedServer.run({ path in
            requests.update { $0 += 1 }
            return path == "/start" ? .redirect(to: target.value, status) : .body([1])
        }) { server in
            target.value = location.replacing("PORT", with: "\(server.port)")
            let names = Names([
                "mirror.test": [["127.0.0.1"]], "localhost": [["127.0.0.1"]], "inside.test": [["10.0.0.1"]],
                "mixed.test": [["8.8.8.8", "127.0.0.1"]],
            ])
            let error = try await refusal(fetcher(server.port, names), "http://mirror.test:\(server.port)/start")
            #expect(error?.kind == .badRequest && error?.code == "uri_refused")
            #expect(requests.value == 1, "only the first hop was asked")
        }
    }

    @Test("ossa_2016_013 Refusals inside the network read the same, whether the host exists or not")
    func ossa_2016_013() async throws {
        let names = Names(["there.test": [["10.0.0.1"]], "itself.test": [["198.51.100.99"]], "meta.test": [["169.254.169.254"]]])
        let fetcher = try fetcher(80, names, private: [], own: [#require(IPAddress("198.51.100.99"))])
        var messages: Set<String> = []
        for name in ["there.test", "nowhere.test", "itself.test", "meta.test"] {
            let error = try await refusal(fetcher, "http://\(name)/")
            messages.insert(error?.message.replacing(name, with: "HOST") ?? "")
            #expect(error?.detail == nil || error?.message.contains("10.0.0.1") == false)
        }
        #expect(messages.count == 1, "\(messages)")
    }

    @Test("The cloud's own addresses are refused, even public ones, unless they are listed")
    func own() throws {
        let own = try #require(IPAddress("8.8.8.8"))
        let url = try FetchURL("http://mirror.test/")
        #expect(!FetchRules().admits(own, of: url, own: [own]))
        #expect(FetchRules().admits(own, of: url, own: []))
        #expect(try !FetchRules().admits(#require(IPAddress("64:ff9b::8.8.8.8")), of: url, own: [own]))
        #expect(try FetchRules(allowed: [], disallowed: [], private: ["8.8.8.8"], ports: []).admits(own, of: url, own: [own]))
    }

    @Test("The lists of allowed and disallowed hosts match names, domains, addresses and networks")
    func lists() async throws {
        let names = Names(["a.example": [["8.8.8.8"]], "b.a.example": [["8.8.8.8"]], "c.example": [["9.9.9.9"]]])
        func isAllowed(_ url: String, allowed: [String] = [], disallowed: [String] = [], private: [String] = []) async throws -> Bool {
            var fetcher = Fetcher(rules: try FetchRules(allowed: allowed, disallowed: disallowed, private: `private`, ports: [80, 443]))
            fetcher.resolver = names
            fetcher.ownAddresses = { [] }
            do {
                try await fetcher.check(url, for: "p")
                return true
            } catch let error as CloudError where error.code == "uri_refused" {
                return false
            }
        }
        #expect(try await isAllowed("http://a.example/"))
        #expect(try await isAllowed("http://A.example./", allowed: ["a.example"]))
        #expect(try await !isAllowed("http://b.a.example/", allowed: ["a.example"]))
        #expect(try await isAllowed("http://b.a.example/", allowed: [".a.example"]))
        #expect(try await !isAllowed("http://a.example/", allowed: [".a.example"]))
        #expect(try await !isAllowed("http://c.example/", allowed: ["a.example"]))
        #expect(try await isAllowed("http://c.example/", allowed: ["9.0.0.0/8"]))
        #expect(try await !isAllowed("http://a.example/", allowed: ["9.0.0.0/8"]))
        #expect(try await !isAllowed("http://a.example/", disallowed: ["a.example"]))
        #expect(try await !isAllowed("http://a.example/", disallowed: ["8.0.0.0/8"]))
        #expect(try await !isAllowed("http://a.example/", allowed: ["a.example"], disallowed: [".example"]))
        #expect(try await !isAllowed("http://a.example:8080/"))
        #expect(try await !isAllowed("http://10.0.0.1/"))
        // An allowed host may still not be a private one.
        #expect(try await !isAllowed("http://10.0.0.1/", allowed: ["10.0.0.0/8"]))
        #expect(try await isAllowed("http://10.0.0.1/", private: ["10.0.0.0/8"]))
        #expect(try await isAllowed("http://[::ffff:10.0.0.1]/", private: ["10.0.0.0/8"]))
        #expect(try await !isAllowed("http://224.0.0.1/", private: ["224.0.0.0/4", "0.0.0.0/0"]))
        #expect(try await !isAllowed("http://0.0.0.0/", private: ["0.0.0.0/0"]))
        for wrong in ["", ".", "a b", "10.0.0.1/8", "http://x/"] { #expect(FetchRules.problem(wrong) != nil, "\(wrong)") }
    }

    // MARK: What a server may cost

    @Test("A chain of redirects is limited")
    func chain() async throws {
        try await ScriptedServer.run({ target in .redirect(to: target + "x") }) { server in
            let error = try await refusal(fetcher(server.port), "http://mirror.test:\(server.port)/")
            #expect(error?.code == "too_many_redirects")
            #expect(server.requests.count == FetchLimits().redirects + 1)
        }
    }

    @Test("Too many bytes are refused, whether their number was announced or not")
    func size() async throws {
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + String(repeating: "8\r\n12345678\r\n", count: 100) + "0\r\n\r\n"
        try await ScriptedServer.run({ target in target == "/known" ? .body(Self.content) : .raw(chunked) }) { server in
            let fetcher = try fetcher(server.port)
            for path in ["known", "unknown"] {
                let error = try await refusal(fetcher, "http://mirror.test:\(server.port)/\(path)", most: 799)
                #expect(error?.kind == .tooLarge, "\(path)")
            }
            let got = try await bytes(fetcher, "http://mirror.test:\(server.port)/unknown", most: 800)
            #expect(got.count == 800)
        }
    }

    @Test("Too many or too long headers are refused")
    func headers() async throws {
        try await ScriptedServer.run({ target in
            let count = target == "/many" ? 200 : 2
            let length = target == "/many" ? 400 : 60_000
            let lines = (0..<count).map { "X-\($0): " + String(repeating: "a", count: length) + "\r\n" }.joined()
            return .raw("HTTP/1.1 200 OK\r\n" + lines + "Content-Length: 0\r\n\r\n")
        }) { server in
            for path in ["many", "long"] {
                let error = try await refusal(fetcher(server.port), "http://mirror.test:\(server.port)/\(path)")
                #expect(error != nil, "\(path)")
            }
        }
    }

    @Test("A server that is silent, slow or breaks off is a transient error")
    func slow() async throws {
        try await ScriptedServer.run({ target in
            switch target {
            case "/nothing": .raw("", closes: false)
            case "/head": .raw("HTTP/1.1 200 OK\r\nX: y", closes: false)
            case "/silence": .raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", closes: false)
            case "/broken": .raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
            case "/chunk": .raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n")
            default: .raw("no HTTP at all\r\n\r\n")
            }
        }) { server in
            var fetcher = try fetcher(server.port)
            (fetcher.limits.head, fetcher.limits.silence) = (.milliseconds(300), .milliseconds(200))
            for path in ["nothing", "head", "silence", "broken", "chunk", "other"] {
                let error = try await refusal(fetcher, "http://mirror.test:\(server.port)/\(path)")
                #expect(error?.isTransient == true, "\(path)")
            }
        }
    }

    @Test("A body that comes too slowly or takes too long is given up")
    func pace() async throws {
        let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + String(repeating: "1\r\nx\r\n", count: 50) + "0\r\n\r\n"
        try await ScriptedServer.run({ _ in .raw(chunks) }) { server in
            let url = "http://mirror.test:\(server.port)/"
            var slow = try fetcher(server.port)
            (slow.limits.window, slow.limits.leastInWindow) = (.zero, 1000)
            #expect(try await refusal(slow, url)?.code == "too_slow")
            var short = try fetcher(server.port)
            short.limits.whole = .zero
            #expect(try await refusal(short, url)?.code == "too_slow")
        }
    }

    @Test("A status other than 200 is an error", arguments: [("404 Not Found", false), ("403 Forbidden", false), ("204 No Content", false), ("206 Partial Content", false), ("503 Busy", true), ("429 Slow", true)])
    func status(line: String, isTransient: Bool) async throws {
        try await ScriptedServer.run({ _ in .status(line) }) { server in
            let error = try await refusal(fetcher(server.port), "http://mirror.test:\(server.port)/")
            #expect(error?.isTransient == isTransient)
        }
    }

    @Test("A compressed answer is not decompressed")
    func compressed() async throws {
        let gzip: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        try await ScriptedServer.run({ _ in .status("200 OK", headers: ["Content-Encoding: gzip"], body: gzip) }) { server in
            let got = try await bytes(fetcher(server.port), "http://mirror.test:\(server.port)/")
            #expect(got == gzip)
            #expect(server.requests.first?.lowercased().contains("accept-encoding: identity") == true)
        }
    }

    @Test("If one address of a name does not answer, another one is tried")
    func secondAddress() async throws {
        try await ScriptedServer.run({ _ in .body([1, 2, 3]) }) { server in
            let names = Names(["mirror.test": [["127.0.0.7", "127.0.0.1"]]])
            // Nothing listens on 127.0.0.7: the server is bound to 127.0.0.1 alone.
            let got = try await bytes(fetcher(server.port, names), "http://mirror.test:\(server.port)/")
            #expect(got == [1, 2, 3])
            let nobody = Names(["mirror.test": [["127.0.0.7"]]])
            let error = try await refusal(fetcher(server.port, nobody), "http://mirror.test:\(server.port)/")
            #expect(error?.isTransient == true)
        }
    }

    @Test("A TLS connection fails without a certificate for the URL's name")
    func tls() async throws {
        try await ScriptedServer.run({ _ in .body([1]) }) { server in
            var fetcher = try fetcher(server.port)
            fetcher.limits.connect = .milliseconds(500)
            let error = try await refusal(fetcher, "https://mirror.test:\(server.port)/")
            #expect(error?.isTransient == true)
        }
    }

    @Test("A reader that throws closes the connection, and its error is thrown on")
    func givesUp() async throws {
        try await ScriptedServer.run({ _ in Self.raw() }) { server in
            let fetcher = try fetcher(server.port)
            let error = await #expect(throws: CloudError.self) {
                try await fetcher.fetch("http://mirror.test:\(server.port)/", for: "p", most: 1 << 30) { download in
                    for try await _ in download { throw CloudError(.unsupportedMediaType, "no") }
                }
            }
            #expect(error?.kind == .unsupportedMediaType)
        }
    }

    private static func raw() -> ScriptedServer.Answer {
        ScriptedServer.Answer(bytes: Array("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n".utf8) + content, closes: false)
    }

    @Test("The system's resolver finds localhost, and no address for an unknown name")
    func system() async throws {
        let turn = try await LookUpTurns().take("p")
        #expect(try await SystemResolver().addresses(of: "localhost", turn).contains { $0.description == "127.0.0.1" || $0.description == "::1" })
        #expect(try await SystemResolver().addresses(of: "nothing.invalid", turn).isEmpty)
        #expect(OwnAddresses.now().contains { $0.description == "127.0.0.1" })
    }
}
