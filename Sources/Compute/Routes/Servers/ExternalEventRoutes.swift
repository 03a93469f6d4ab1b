import CloudCore
import HTTPKit
import HTTPTypes

/// The route of `/os-server-external-events`, by which other services report events of servers. Novella's own services
/// report them by rows, so an event has no effect.
struct ExternalEventRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let servers: ServerService

    private static let tagged: Set<String> = ["volume-extended", "power-update", "accelerator-request-bound"]

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
    private static let later = [(51, "volume-extended"), (76, "power-update"), (82, "accelerator-request-bound"), (93, "volume-reimaged")]

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
        guard codes.contains(200) else { throw CloudError.notFound("No instances found for any event") }
        return .json(codes.allSatisfy { $0 == 200 } ? .ok : .init(code: 207, reasonPhrase: "Multi-Status")) { json in
            json.array("events", of: Array(zip(events, codes))) { json, pair in
                json.object { json in
                    json.member("server_uuid", pair.0.serverID)
                    json.member("name", pair.0.name)
                    if let tag = pair.0.tag { json.member("tag", tag) }
                    json.member("status", pair.1 == 200 ? pair.0.status ?? "completed" : "failed")
                    json.member("code", pair.1)
                }
            }
        }
    }
}
