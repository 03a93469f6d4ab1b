import CloudCore
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import ControlPlane

/// The behaviour that all services share at their outer edge.
@Suite("The outer edge of all services", .timeLimit(.minutes(15))) struct EdgeTests {
    @Test(
        "Each service's 401 says where to get a token",
        arguments: [
            "/image/v2/images", "/network/v2.0/networks", "/placement/resource_providers", "/compute/v2.1/servers", "/identity/v3/users", "/v3/users",
        ])
    func unauthenticated(path: String) async throws {
        try await TestCloud.run { cloud in
            for token in [nil, "no-token"] {
                let answer = await cloud.send(.get, path, token: token)
                #expect(answer.status == .unauthorized)
                #expect(answer.headers[.wwwAuthenticate] == "Keystone uri=\"\(TestCloud.url)/identity\"")
            }
        }
    }

    @Test("Repeated slashes count as one, also before a service's prefix")
    func slashes() async throws {
        try await TestCloud.run { cloud in
            let token = try await cloud.token()
            for path in [
                "//compute/v2.1/servers", "/compute//v2.1///servers", "///image/v2/images", "//network//v2.0//networks", "//v3//users",
                "//placement/resource_providers", "//healthz",
            ] {
                #expect(await cloud.send(.get, path, token: token).status == .ok, "\(path)")
            }
            // Encoded slashes stay encoded.
            #expect(await cloud.send(.get, "/compute%2F%2Fv2.1/servers", token: token).status == .notFound)
        }
    }

    /// Returns an unscoped token, which has no roles.
    private func unscoped(_ cloud: TestCloud) async throws -> String {
        try await cloud.token(user: "demo", password: TestCloud.demoPassword, project: nil)
    }

    @Test("A long body is refused unread without a role, and a body beyond the service's limit is a 413")
    func longBodies() async throws {
        try await TestCloud.run { cloud in
            let nobody = try await unscoped(cloud)
            let admin = try await cloud.token()
            let paths = ["/network/v2.0/networks", "/placement/resource_providers", "/image/v2/images", "/compute/v2.1/servers"]
            let members = JSON.object(JSONObject((0..<9000).map { ("a\($0)", JSON.integer(1)) }))
            #expect(members.text.utf8.count > 64 << 10 && members.text.utf8.count < 112 << 10)
            for path in paths {
                #expect(await cloud.send(.post, path, json: members).status == .unauthorized, "\(path)")
                #expect(await cloud.send(.post, path, token: nobody, json: members).status == .forbidden, "\(path)")
                #expect(await cloud.send(.post, path, token: admin, json: members).status != .forbidden, "\(path)")
            }
            let tooLong = JSON.object(["network": .string(String(repeating: "x", count: 1 << 20))])
            for path in paths {
                #expect(await cloud.send(.post, path, token: admin, json: tooLong).status == .contentTooLarge, "\(path)")
            }
            let tooMany = JSON.object(["network": .array(Array(repeating: 1, count: 60_000))])
            for path in paths.dropLast() {
                let answer = await cloud.send(.post, path, token: admin, json: tooMany, headers: [.accept: "application/json"])
                #expect(answer.status == .badRequest && answer.text.contains("more than 50000 values"), "\(path): \(answer.text.prefix(500))")
            }
            // Identity is no exception: no log-in is as long.
            for path in ["/v3/auth/tokens", "/v3/users"] {
                #expect(await cloud.send(.post, path, json: members).status == .unauthorized, "\(path)")
                #expect(await cloud.send(.post, path, token: nobody, json: members).status == .forbidden, "\(path)")
                #expect(await cloud.send(.post, path, token: admin, json: members).status == .badRequest, "\(path)")
            }
        }
    }

    @Test("A repeated sort key is dropped, and too many keys are refused, in every service")
    func sortKeys() async throws {
        try await TestCloud.run { cloud in
            let admin = try await cloud.token()
            var ids: [String] = []
            for name in ["a", "b"] {
                let made = await cloud.send(.post, "/network/v2.0/networks", token: admin, json: ["network": ["name": .string(name)]])
                ids.append(try #require(made.json["network"]?["id"]?.string))
            }
            let started = ContinuousClock.now
            for count in [60, 63, 64, 200] {
                let keys = Array(repeating: "sort_key=name", count: count).joined(separator: "&")
                let networks = await cloud.send(.get, "/network/v2.0/networks?marker=\(ids[0])&\(keys)", token: admin)
                #expect(networks.status == (count > 63 ? .badRequest : .ok), "\(count): \(networks.text)")
                if count < 64 { #expect(networks.json["networks"]?.array?.contains { $0["name"] == "b" } == true) }
                let servers = await cloud.send(.get, "/compute/v2.1/servers?\(keys.replacing("name", with: "display_name"))", token: admin)
                if count == 60 || count == 200 { #expect(servers.status == (count == 60 ? .ok : .badRequest), "\(count): \(servers.text)") }
            }
            #expect(ContinuousClock.now - started < .seconds(5))
        }
    }

    /// A write in each service: its path, the member in which its errors are, and its body.
    private static let writes: [(path: String, envelope: String, body: @Sendable (Int) -> JSON)] = {
        let long = JSON.string(String(repeating: "x", count: 255))
        return [
            ("/network/v2.0/networks", "NeutronError", { ["network": ["name": .string("n\($0)"), "description": long]] }),
            ("/v3/projects", "error", { ["project": ["name": .string("p\($0)"), "description": long]] }),
            ("/placement/resource_providers", "errors", { ["name": .string("provider-\($0)")] }),
            ("/compute/v2.1/flavors", "serviceUnavailable", { ["flavor": ["name": .string("f\($0)"), "ram": 1, "vcpus": 1, "disk": 1]] }),
        ]
    }()

    @Test("On a full disk writes are 503 in each service's envelope and health reports it; reads go on, and writes recover")
    func fullDisk() async throws {
        try await TestCloud.run(on: .sqlite) { cloud in
            let admin = try await cloud.token()
            func limit(to more: Int?) async throws {
                try await cloud.database.write { tx in
                    let count: Int = try tx.value("PRAGMA page_count") ?? 0
                    let _: Int? = try tx.value("PRAGMA max_page_count = \(more.map { count + $0 } ?? 1_000_000)")
                }
            }
            let long = JSON.string(String(repeating: "x", count: 60_000))
            let image: JSON = ["name": "x", "a": long, "b": long, "c": long]
            try await limit(to: 0)
            // The request fills only the free pages of the file.
            var refused = await cloud.send(.post, "/image/v2/images", token: admin, json: image)
            for _ in 0..<50 where refused.status != .serviceUnavailable {
                refused = await cloud.send(.post, "/image/v2/images", token: admin, json: image)
            }
            #expect(refused.status == .serviceUnavailable && refused.text.contains("database is full"), "\(refused.text)")
            #expect(refused.headers[.retryAfter] == "60")
            #expect(refused.text.hasPrefix("503 Service Unavailable"))
            let health = await cloud.send(.get, "/healthz")
            #expect(health.status == .serviceUnavailable && health.json["database"] == "full" && health.json["images"] == "ok")
            // A small write may still fit into the free pages.
            for (path, envelope, body) in Self.writes {
                var answer = await cloud.send(.post, path, token: admin, json: body(0))
                for number in 1..<500 where answer.status != .serviceUnavailable {
                    answer = await cloud.send(.post, path, token: admin, json: body(number))
                }
                #expect(answer.status == .serviceUnavailable && answer.headers[.retryAfter] == "60", "\(path): \(answer.text)")
                #expect(answer.json[envelope] != nil && answer.text.contains("database is full"), "\(path): \(answer.text)")
            }
            for path in ["/image/v2/images", "/network/v2.0/networks", "/v3/projects", "/compute/v2.1/servers", "/placement/resource_providers"] {
                #expect(await cloud.send(.get, path, token: admin).status == .ok, "\(path)")
            }
            try await limit(to: nil)
            #expect(await cloud.send(.post, "/image/v2/images", token: admin, json: image).status == .created)
            #expect(await cloud.send(.get, "/healthz").status == .ok)
        }
    }
}
