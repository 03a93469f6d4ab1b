import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of a server's live migrations that are in progress.
struct ServerMigrationRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let actions: ServerActionService

    private static let list = ServerRoutes.path + "/migrations"
    private static let one = list + "/{migration_id}"

    var all: [Route] {
        [
            maker.route(.post, Self.one + "/action", nil, since: 22) { call in
                _ = try await call.read(Form.json(.null).inside("force_complete"))
                try await actions.complete(call.parameter("migration_id"), of: call.call.id("server_id"), by: call.caller)
                return .accepted
            },
            maker.route(.get, Self.list, nil, since: 23) { call in
                let found = try await actions.migrations(of: call.call.id("server_id"), by: call.caller)
                return .json { json in
                    json.array("migrations", of: found) { json, migration in json.object { Self.write(migration, call, &$0) } }
                }
            },
            maker.route(.get, Self.one, nil, since: 23) { call in
                let found = try await actions.migration(call.parameter("migration_id"), of: call.call.id("server_id"), by: call.caller)
                return .json { json in json.object("migration") { Self.write(found, call, &$0) } }
            },
            maker.route(.delete, Self.one, nil, since: 24) { call in
                try await actions.abort(call.parameter("migration_id"), of: call.call.id("server_id"), by: call.caller)
                return .accepted
            },
        ]
    }

    private static func write(_ migration: ServerMigration, _ call: ComputeCall, _ json: inout JSONWriter) {
        let showsHosts = call.caller.may(.showServerMigrationHosts, projectID: migration.projectID)
        json.member("created_at", migration.createdAt.iso8601MicrosecondsNoZone)
        json.member("dest_compute", showsHosts ? migration.destination : nil)
        json.member("dest_host", nil as String?)
        json.member("dest_node", showsHosts ? migration.destination : nil)
        // The progress in bytes is not counted.
        json.member("disk_processed_bytes", nil as Int?)
        json.member("disk_remaining_bytes", nil as Int?)
        json.member("disk_total_bytes", nil as Int?)
        json.member("memory_processed_bytes", nil as Int?)
        json.member("memory_remaining_bytes", nil as Int?)
        json.member("memory_total_bytes", nil as Int?)
        json.member("id", migration.number)
        json.member("server_uuid", migration.serverID)
        json.member("source_compute", showsHosts ? migration.source : nil)
        json.member("source_node", showsHosts ? migration.source : nil)
        json.member("status", migration.status)
        json.member("updated_at", migration.updatedAt.iso8601MicrosecondsNoZone)
        if call.minor >= 59 { json.member("uuid", migration.id) }
        guard call.minor >= 80 else { return }
        json.member("user_id", migration.userID)
        json.member("project_id", migration.projectID)
    }
}
