import CloudCore
import Foundation
import HTTPKit
import Telemetry
import TestSupport
import Testing

/// Tests over a real socket of the parts that the answers of all services share.
@Suite(.timeLimit(.minutes(10))) struct AnswerTests {
    @Test("A request keeps the caller's request id if that is valid, and gets a new one otherwise")
    func requestIDs() async throws {
        try await TestServer.connect { _, wire in
            let own = try await wire.ask("GET", "/sample/things")
            let id = try #require(own["x-openstack-request-id"])
            #expect(id.wholeMatch(of: /req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/) != nil)
            #expect(own.json["request"]?.string == id)
            let given = "req-0a1b2c3d-0000-4aaa-8bbb-0123456789ab"
            #expect(try await wire.ask("GET", "/sample/things", ["X-OpenStack-Request-ID: \(given)"])["x-openstack-request-id"] == given)
            #expect(try await wire.ask("GET", "/nowhere", ["X-OpenStack-Request-ID: \(given)"])["x-openstack-request-id"] == given)
            for wrong in [
                "req-", "x", "0a1b2c3d-0000-4aaa-8bbb-0123456789ab", "req-0a1b2c3d00004aaa8bbb0123456789ab----",
                "req-------------------------------------", given + "0", "req-0a1b2c3d-0000-4aaa-8bbb-0123456789ag",
            ] {
                let answer = try await wire.ask("GET", "/sample/things", ["X-OpenStack-Request-ID: \(wrong)"])
                #expect(answer["x-openstack-request-id"]?.hasPrefix("req-") == true)
                #expect(answer["x-openstack-request-id"] != wrong, "\(wrong)")
            }
            let twice = try await wire.ask("GET", "/sample/things", ["X-OpenStack-Request-ID: \(given)", "X-OpenStack-Request-ID: \(given)"])
            #expect(twice["x-openstack-request-id"] != given)
        }
    }

    @Test("A HEAD has the headers of the GET and no body")
    func head() async throws {
        try await TestServer.connect { _, wire in
            for target in ["/sample/things", "/sample/large?size=70000", "/sample/nothing", "/sample/stream?length=13"] {
                let get = try await wire.ask("GET", target)
                let head = try await wire.ask("HEAD", target)
                #expect(head.status == get.status)
                #expect(head["Content-Length"] == get["Content-Length"], "\(target)")
                #expect(head["Content-Type"] == get["Content-Type"])
                #expect(head.body.isEmpty)
            }
            // If a body had been sent, the next answer would begin with it.
            #expect(try await wire.ask("GET", "/sample/things").status == 200)
        }
    }

    @Test("An unknown path or method is answered in the service's envelope")
    func notFound() async throws {
        try await TestServer.connect { _, wire in
            let missing = try await wire.ask("GET", "/sample/nothing")
            #expect(missing.status == 404)
            #expect(missing.json["wrong"]?["id"]?.string == missing["x-openstack-request-id"])
            let method = try await wire.ask("DELETE", "/sample/things")
            #expect(method.status == 405)
            #expect(method["Allow"] == "GET, HEAD, OPTIONS, POST")
            #expect(method.json["wrong"]?["status"]?.integer == 405)
            let options = try await wire.ask("OPTIONS", "/sample/things")
            #expect(options.status == 204)
            #expect(options["Allow"] == "GET, HEAD, OPTIONS, POST")
            #expect(options["Content-Length"] == nil)
            #expect(try await wire.ask("GET", "/samples").status == 404)
            #expect(try await wire.ask("GET", "/").status == 404)
            #expect(try await wire.ask("OPTIONS", "*").status == 404)
        }
    }

    @Test("An unexpected error tells the caller nothing, and the log everything")
    func bug() async throws {
        try await TestServer.run { server in
            let answer = try await server.ask("GET", "/sample/broken")
            #expect(answer.status == 500)
            let id = try #require(answer["x-openstack-request-id"])
            #expect(answer.json["wrong"]?["message"]?.string == "An unexpected error prevented the server from fulfilling your request.")
            #expect(!answer.text.contains("password"))
            let line = try #require(server.logged.value.first { $0.contains("a request failed") })
            #expect(line.contains(id) && line.contains("service=sample") && line.contains("the-password-of-the-database"))
        }
    }

    @Test("Paths and queries are decoded once, and text that is not UTF-8 is refused")
    func decoding() async throws {
        try await TestServer.connect { _, wire in
            let answer = try await wire.ask("GET", "/sample/things/a%2Fb%20c%C3%A9%2525+?x=1%262&y=a+b&z&%C3%A9=%E2%82%AC")
            #expect(answer.json["id"]?.string == "a/b cé%25+")
            #expect(answer.json["query"]?.string == "x=1&2|y=a b|z=|é=€")
            for wrong in ["%", "%f", "%zz", "%ff", "%C3", "%00"] {
                #expect(try await wire.ask("GET", "/sample/things?x=\(wrong)").status == 400, "\(wrong)")
                #expect(try await wire.ask("GET", "/sample/things/\(wrong)").status == 404, "\(wrong)")
            }
            let many = (1...256).map { "a\($0)" }.joined(separator: "&")
            #expect(try await wire.ask("GET", "/sample/things?\(many)").status == 200)
            #expect(try await wire.ask("GET", "/sample/things?\(many)&one-more").status == 400)
            #expect(try await wire.ask("GET", "//sample//things").status == 200)
            #expect(try await wire.ask("GET", "/sample//things/").status == 200)
            #expect(try await wire.ask("GET", "/sample/../sample/things").status == 404)
        }
    }

    @Test("Links begin with the host of the request, and never with an invalid one")
    func hosts() async throws {
        try await TestServer.connect { server, wire in
            func base(_ headers: [String], _ target: String = "/sample/things") async throws -> String? {
                try await wire.ask("GET", target, headers).json["base"]?.string
            }
            let plain = try await base(["Host: cloud.test:5000"])
            #expect(plain == "http://cloud.test:5000/sample")
            #expect(try await base(["Host: [::1]:80"]) == "http://[::1]:80/sample")
            for odd in ["a/b", "x\"y", "<script>", "a b", "user@host", "é", "", String(repeating: "a", count: 300)] {
                #expect(try await base(["Host: \(odd)"]) == "http://localhost/sample", "\(odd)")
            }
            // A client cannot name the cloud by headers; `server.public_url` does.
            for header in ["X-Forwarded-Proto: https", "X-Forwarded-Host: evil", "Forwarded: proto=https;host=evil"] {
                #expect(try await base(["Host: cloud.test", header]) == "http://cloud.test/sample")
            }
            #expect(try await base(["Host: cloud.test"], "http://elsewhere/sample/things?x=1") == "http://cloud.test/sample")
        }
        try await TestServer.run { $0.publicURL = "https://cloud.example" } _: { server in
            let answer = try await server.ask("GET", "/sample/things")
            #expect(answer.json["base"]?.string == "https://cloud.example/sample")
        }
    }

    @Test("Only pages of allowed origins may call")
    func cors() async throws {
        try await TestServer.connect { $0.origins = ["https://ui.test"] } _: { _, wire in
            let allowed = try await wire.ask("GET", "/sample/nothing", ["Origin: https://ui.test"])
            #expect(allowed["Access-Control-Allow-Origin"] == "https://ui.test")
            #expect(allowed["Access-Control-Expose-Headers"]?.contains("X-Subject-Token") == true)
            #expect(allowed["Vary"]?.contains("Origin") == true)
            for other in [["Origin: https://evil.test"], ["Origin: null"], []] {
                let answer = try await wire.ask("GET", "/sample/things", other)
                #expect(answer["Access-Control-Allow-Origin"] == nil)
                #expect(answer["Vary"]?.contains("Origin") == true, "a cache must not give this answer to a page that is allowed")
            }
            let asked = ["Origin: https://ui.test", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-auth-token"]
            let preflight = try await wire.ask("OPTIONS", "/sample/things", asked)
            #expect(preflight.status == 204)
            #expect(preflight["Access-Control-Allow-Methods"] == "POST")
            #expect(preflight["Access-Control-Allow-Headers"] == "x-auth-token")
        }
        try await TestServer.run { server in
            let answer = try await server.ask("GET", "/sample/things", ["Origin: https://ui.test"])
            #expect(answer["Access-Control-Allow-Origin"] == nil)
            #expect(answer["Vary"] == nil)
        }
    }

    @Test("Each answer with a microversion names it, and its Vary names the headers that chose it")
    func microversions() async throws {
        try await TestServer.connect { _, wire in
            for (headers, version) in [
                ([], "2.1"), (["OpenStack-API-Version: compute 2.5"], "2.5"), (["X-OpenStack-Nova-API-Version: 2.3"], "2.3"),
                (["OpenStack-API-Version: compute latest"], "2.9"), (["OpenStack-API-Version: volume 3.1"], "2.1"),
            ] {
                for (target, status) in [("/versioned/things", 200), ("/versioned/missing", 404)] {
                    let answer = try await wire.ask("GET", target, headers)
                    #expect(answer.status == status)
                    #expect(answer["OpenStack-API-Version"] == "compute \(version)")
                    #expect(answer["X-OpenStack-Nova-API-Version"] == version)
                    #expect(answer["Vary"]?.lowercased() == "openstack-api-version, x-openstack-nova-api-version")
                }
            }
            for (version, status) in [("2.10", 406), ("3.1", 406), ("x", 400), ("2.05", 400)] {
                let answer = try await wire.ask("GET", "/versioned/things", ["OpenStack-API-Version: compute \(version)"])
                #expect(answer.status == status)
                #expect(answer["Vary"]?.lowercased() == "openstack-api-version, x-openstack-nova-api-version")
            }
        }
    }

    @Test("The access log has one line for each request, without queries or injected lines")
    func accessLog() async throws {
        try await withTemporaryDirectory { folder in
            let path = folder + "/access.log"
            let log = AccessLog(path: path)
            try await TestServer.connect { $0.accessLog = log } _: { _, wire in
                _ = try await wire.ask("GET", "/sample/things?token=secret")
                _ = try await wire.ask("GET", "/sample/a%0Ab%20c\"d")
                _ = try await wire.ask("HEAD", "/sample/things")
                try await wire.send("nonsense\r\n\r\n")
                _ = try await wire.answer()
            }
            log.file.flush()
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let lines = text.split(whereSeparator: \.isNewline)
            #expect(lines.count == 4, "\(text)")
            #expect(!text.contains("secret"))
            let form = /\S+Z 127\.0\.0\.1 (GET|HEAD) \/sample\/\S+ (200|404) \d+ \d+us req-[0-9a-f-]{36}/
            for line in lines.prefix(3) { #expect(line.wholeMatch(of: form) != nil, "\(line)") }
            #expect(lines.last?.contains(" - - - 400 ") == true, "\(text)")
        }
    }

    @Test("Metrics are Prometheus text, with a series for each route and status")
    func figures() async throws {
        try await TestServer.run { server in
            try await server.connect { wire in
                for _ in 1...3 { _ = try await wire.ask("GET", "/sample/things/a") }
                _ = try await wire.ask("GET", "/sample/nothing")
            }
            server.metrics.gauge("test_gauge", help: "Of a test.") { 2.5 }
            let text = await server.metrics.text()
            let labels = #"service="sample",route="GET /things/{id}",status="200""#
            #expect(text.contains("novella_http_request_duration_seconds_count{\(labels)} 3\n"))
            #expect(text.contains("novella_http_request_duration_seconds_bucket{\(labels),le=\"+Inf\"} 3\n"))
            #expect(text.contains(#"route="unknown",status="404""#))
            #expect(text.contains("# TYPE test_gauge gauge\ntest_gauge 2.5\n"))
            for line in text.split(separator: "\n") where !line.hasPrefix("#") {
                #expect(line.wholeMatch(of: /[a-z_]+(\{[^}]*(\{id\})?[^}]*\})? \S+/) != nil, "\(line)")
            }
        }
    }
}
