import CloudCore
import HTTPKit
import HTTPTypes
import HostModel

/// The route of `/os-server-external-events`, by which other services report events of servers. Novella's own services
/// report them by rows, so an event has no effect, but that the growth of a volume is shown among the server's actions.
struct ExternalEventRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let servers: ServerService

    private static let extended = "volume-extended"
    private static let tagged: Set<String> = [extended, "power-update", "accelerator-request-bound"]

    var all: [Route] {
        [maker.route(.post, "/os-server-external-events", .externalEvents) { call in try await create(call) }]
    }

    private struct Event: Sendable {
        var serverID = ""
        var name = ""
        var status: String?
        var tag: String?
    }

    private static let first = ["network-changed", "network-vif-plugged", "network-vif-unplugged", "network-vif-deleted"]
    /// The later names, each with the minor part of the first microversion that has it.
    private static let later = [
        (51, extended), (76, "power-update"), (82, "accelerator-request-bound"), (93, "volume-reimaged"),
    ]

    private static func events(_ minor: Int) -> Form<[Event]> {
        let names = first + later.filter { $0.0 <= minor }.map(\.1)
        let event = Form.object(
            Event(),
            [
                .required("server_uuid", \.serverID, .uuid), .required("name", \.name, .oneOf(names)),
                .optional("status", \.status, .oneOf(["failed", "completed", "in-progress"])), .optional("tag", \.tag, .string(0...255)),
            ])
        return Form.array(event, 1...Int.max).inside("events")
    }

    private func create(_ call: ComputeCall) async throws -> Reply {
        let events = try await call.read(Self.events(call.minor))
        let known = try await servers.find(events.map(\.serverID))
        let codes = events.map { event in
            guard let server = known[event.serverID] else { return 404 }
            if Self.tagged.contains(event.name), event.tag == nil { return 400 }
            return server.host == nil ? 422 : 200
        }
        try await note(zip(events, codes).filter { $0.1 == 200 }.map(\.0), by: call.caller)
        return .json(codes.allSatisfy { $0 == 200 } ? .ok : .init(code: 207, reasonPhrase: "Multi-Status")) { json in
            json.array("events", of: Array(zip(events, codes))) { json, pair in
                json.object { json in
                    json.member("server_uuid", pair.0.serverID)
                    json.member("name", pair.0.name)
                    if let tag = pair.0.tag { json.member("tag", tag) }
                    json.member("status", pair.1 == 200 ? "completed" : "failed")
                    json.member("code", pair.1)
                }
            }
        }
    }

    /// Notes the growth of volumes among the servers' actions, as the reference does.
    private func note(_ events: [Event], by caller: Caller) async throws {
        let growths = events.filter { $0.name == Self.extended }.map { event in
            VolumeGrowth(
                volume: ID(event.tag ?? ""), servers: [ID(event.serverID)], principal: caller.principal,
                requestID: caller.requestID)
        }
        if !growths.isEmpty { try await ServerVolumeService(servers: servers).note(growths) }
    }
}
