import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/messages`.
struct MessageRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let messages: MessageService

    private static let since = 3

    var all: [Route] {
        [
            maker.route(.get, "/messages", nil, since: Self.since) { call in
                let found = try await messages.list(try ListRequest(call), by: call.caller)
                return try await call.page(("messages", "messages_links"), at: "messages", found, id: \.id.text) {
                    Self.write($0, Links(call), &$1)
                }
            },
            maker.route(.get, "/messages/{message_id}", nil, since: Self.since) { call in
                let message = try await messages.get(call.call.id("message_id"), by: call.caller)
                return .json { json in json.object("message") { Self.write(message, Links(call), &$0) } }
            },
            maker.route(.delete, "/messages/{message_id}", nil, since: Self.since) { call in
                try await messages.delete(call.call.id("message_id"), by: call.caller)
                return .noContent
            },
        ]
    }

    private static func write(_ message: VolumeMessage, _ links: Links, _ json: inout JSONWriter) {
        json.member("id", message.id)
        json.member("event_id", message.eventID)
        json.member("user_message", message.text)
        json.member("message_level", "ERROR")
        json.member("created_at", message.createdAt.iso8601MicrosecondsNoZone)
        json.member("guaranteed_until", message.expiresAt.iso8601MicrosecondsNoZone)
        json.member("request_id", message.requestID)
        links.write(&json, "messages", message.id.text)
        json.member("resource_type", message.subject.rawValue)
        json.member("resource_uuid", message.subjectID)
    }
}
