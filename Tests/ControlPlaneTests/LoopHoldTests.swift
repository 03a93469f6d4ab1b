import CloudCore
import ControlPlane
import Foundation
import HTTPKit
import TestSupport
import Testing

@Suite("No request of the cloud holds an event loop")
struct LoopHoldTests {
    /// The limit of the time for which one request may hold an event loop, in nanoseconds of the thread's own time.
    private static let mostHold: Int64 = 50_000_000
    private static let count = 1000

    @Test("Long bodies and long pages of every service hold no event loop for more than 50 ms of its thread's own time")
    func everyService() async throws {
        try await withTemporaryDirectory { folder in
            try await RunningCloud.run(folder) { cloud in
                let holds = cloud.process.holds
                holds.countThreadTime()
                let project = try #require(
                    try await cloud.send("GET", "/identity/v3/auth/projects")["projects"]?.array?.first?["id"]?.string)
                _ = try await cloud.send(
                    "PUT", "/network/v2.0/quotas/\(project)", ["quota": ["network": -1, "port": -1]])
                func ask(_ method: String, _ path: String, _ json: JSON? = nil) async throws -> JSON {
                    holds.reset()
                    let answer = try await cloud.send(method, path, json)
                    #expect(holds.longest < Self.mostHold, "\(method) \(path): \(holds.longest / 1_000_000) ms")
                    return answer
                }
                func objects(_ make: (Int) -> JSONObject) -> JSON {
                    .array((0..<Self.count).map { .object(make($0)) })
                }
                let networks = try await ask(
                    "POST", "/network/v2.0/networks", ["networks": objects { ["name": .string("n\($0)")] }])
                let first = networks["networks"]?.array?.first?["id"] ?? .null
                _ = try await ask(
                    "POST", "/network/v2.0/ports",
                    ["ports": objects { ["name": .string("p\($0)"), "network_id": first] }])
                for path in ["networks", "ports", "networks?name=n5&name=n6", "ports?fields=id"] {
                    _ = try await ask("GET", "/network/v2.0/\(path)")
                }
                for number in 0..<300 {
                    _ = try await cloud.send("POST", "/image/v2/images", ["name": .string("i\(number)")])
                    _ = try await cloud.send(
                        "POST", "/identity/v3/projects", ["project": ["name": .string("project-\(number)")]])
                }
                for path in ["/image/v2/images?limit=1000", "/identity/v3/projects", "/placement/resource_providers"] {
                    _ = try await ask("GET", path)
                }
            }
        }
    }
}
