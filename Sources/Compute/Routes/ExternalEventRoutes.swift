import CloudCore
import HTTPKit
import HTTPTypes

/// `/os-server-external-events`: what other services tell of servers. Novella's own tell it in rows, so nothing here waits for them.
struct ExternalEventRoutes: Sendable {
    let endpoint: Endpoint
    let servers: ServerService

    private static let tagged: Set<String> = ["volume-extended", "power-update", "accelerator-request-bound"]

    var all: [Route] {
        [endpoint.route(.post, "/os-server-external-events", .externalEvents) { call in try await create(call) }]
    }

    private static func shape(_ minor: Int) -> BodyShape {
        var names = ["network-changed", "network-vif-plugged", "network-vif-unplugged", "network-vif-deleted"]
        if minor >= 51 { names.append("volume-extended") }
        if minor >= 76 { names.append("power-update") }
        if minor >= 82 { names.append("accelerator-request-bound") }
        if minor >= 93 { names.append("volume-reimaged") }
        return .object(
            [
                (
                    "events",
                    .list(
                        .object(
                            [
                                ("server_uuid", .uuid), ("name", .word(of: names)), ("status", .word(of: ["failed", "completed", "in-progress"])),
                                ("tag", .text(0...255)),
                            ], required: ["server_uuid", "name"]), 1...Int.max)
                )
            ], required: ["events"])
    }

    private func create(_ call: ComputeCall) async throws -> Reply {
        let events = try await call.body(Self.shape(call.minor))["events"]?.array ?? []
        let known = try await servers.find(events.compactMap { $0["server_uuid"]?.string })
        let codes = events.map { event in
            guard let server = known[event["server_uuid"]?.string ?? ""] else { return 404 }
            if Self.tagged.contains(event["name"]?.string ?? ""), event["tag"] == nil { return 400 }
            return server.host == nil ? 422 : 200
        }
        guard codes.contains(200) else { throw CloudError.notFound("No instances found for any event") }
        return .json(codes.allSatisfy { $0 == 200 } ? .ok : .init(code: 207, reasonPhrase: "Multi-Status")) { json in
            json.array("events", of: Array(zip(events, codes))) { json, pair in
                json.object { json in
                    json.member("server_uuid", pair.0["server_uuid"] ?? "")
                    json.member("name", pair.0["name"] ?? "")
                    if let tag = pair.0["tag"] { json.member("tag", tag) }
                    json.member("status", pair.1 == 200 ? pair.0["status"] ?? "completed" : "failed")
                    json.member("code", pair.1)
                }
            }
        }
    }
}
