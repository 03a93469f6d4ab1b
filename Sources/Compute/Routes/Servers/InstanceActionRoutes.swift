import CloudCore
import Durable
import HTTPKit
import HTTPTypes

/// The routes of `/servers/{server_id}/os-instance-actions`, which show the workflows of a server.
struct InstanceActionRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let actions: InstanceActionService

    private static let path = ServerRoutes.path + "/os-instance-actions"
    private static let eventsSince = 51
    private static let pagedSince = 58
    private static let beforeSince = 66

    var all: [Route] {
        [
            maker.route(
                .get, Self.path, nil,
                query: QueryShape(
                    QueryShape.paged + [("changes-since", .string(0...64, .dateTime)), ("changes-before", .string(0...64, .dateTime))],
                    closedSince: Self.pagedSince)
            ) { call in try await list(call) },
            maker.route(.get, Self.path + "/{request_id}", nil) { call in try await show(call) },
        ]
    }

    private func list(_ call: ComputeCall) async throws -> Reply {
        var changes: ChangeWindow?
        var page = Page()
        if call.minor >= Self.pagedSince {
            changes = try ChangeWindow(
                since: call.query("changes-since"), before: call.minor >= Self.beforeSince ? call.query("changes-before") : nil)
            page = try call.page()
        }
        let (server, rows) = try await actions.list(on: call.call.id("server_id"), changes, page, by: call.caller)
        return try await .page(of: rows.count) {
            .json { json in
                json.array("instanceActions", of: rows) { json, row in
                    json.object { Self.write(row, server, call.minor, &$0) }
                }
                guard call.minor >= Self.pagedSince else { return }
                Links(call).next(
                    &json, "links", "servers/\(server.id)/os-instance-actions", call, count: rows.count,
                    last: rows.last?.requestID)
            }
        }
    }

    private func show(_ call: ComputeCall) async throws -> Reply {
        let (server, row) = try await actions.find(
            call.parameter("request_id"), on: call.call.id("server_id"), by: call.caller)
        let events = try await actions.events(of: row)
        let seesDetails = call.caller.may(.actionEvents, projectID: server.projectID)
        return .json { json in
            json.object("instanceAction") { json in
                Self.write(row, server, call.minor, &json)
                guard seesDetails || call.minor >= Self.eventsSince else { return }
                let event = Event(row: row, first: events.first?.at ?? row.createdAt)
                json.array("events", of: [event]) { json, event in
                    json.object { Self.write(event, server, call, seesTrace: seesDetails, &$0) }
                }
            }
        }
    }

    /// The one event of an action: the whole work of its workflow.
    private struct Event {
        let row: WorkflowRecord
        let first: Timestamp

        var result: String? {
            switch row.status {
            case .succeeded: "Success"
            case .unwound, .abandoned: "Error"
            default: nil
            }
        }
    }

    private static func write(_ row: WorkflowRecord, _ server: Server, _ minor: Int, _ json: inout JSONWriter) {
        json.member("action", ServerWork.names(of: row.kind).action)
        json.member("instance_uuid", server.id)
        json.member("request_id", row.requestID)
        json.member("user_id", owner(row) ?? server.userID)
        json.member("project_id", row.projectID?.text ?? server.projectID)
        json.member("start_time", row.createdAt.iso8601MicrosecondsNoZone)
        json.member("message", row.status == .unwound ? "Error" : nil)
        if minor >= pagedSince { json.member("updated_at", row.updatedAt.iso8601MicrosecondsNoZone) }
    }

    private static func owner(_ row: WorkflowRecord) -> String? {
        row.principal.flatMap { try? JSON.parse($0) }?["userID"]?.string
    }

    private static func write(_ event: Event, _ server: Server, _ call: ComputeCall, seesTrace: Bool, _ json: inout JSONWriter) {
        json.member("event", ServerWork.names(of: event.row.kind).event)
        json.member("start_time", event.first.iso8601MicrosecondsNoZone)
        json.member("finish_time", event.row.finishedAt?.iso8601MicrosecondsNoZone)
        json.member("result", event.result)
        if seesTrace || call.minor < eventsSince { json.member("traceback", event.row.failure?.detail) }
        if call.minor >= 62 {
            json.member("hostId", ServerWire.hostID(server.host, of: server.projectID))
            if call.caller.may(.actionEvents, projectID: server.projectID) { json.member("host", server.host) }
        }
        if call.minor >= 84, call.caller.may(.actionEventDetails, projectID: server.projectID) {
            json.member("details", event.row.failure?.message)
        }
    }
}
