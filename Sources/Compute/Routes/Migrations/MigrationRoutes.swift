import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/os-migrations`.
struct MigrationRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let migrations: MigrationService

    private static let names = ["hidden", "host", "instance_uuid", "source_compute", "status", "migration_type"]
    private static let timesSince = 59
    private static let beforeSince = 66
    private static let ownersSince = 80

    var all: [Route] {
        [
            maker.route(
                .get, "/os-migrations", .listMigrations,
                query: QueryShape(
                    QueryShape.paged + Self.names.map { ($0, Shape.any) } + [
                        ("changes-since", .string(0...64, .dateTime)), ("changes-before", .string(0...64, .dateTime)), ("user_id", .any),
                        ("project_id", .any),
                    ], closedSince: Self.timesSince)
            ) { call in try await list(call) }
        ]
    }

    private func list(_ call: ComputeCall) async throws -> Reply {
        var filter = MigrationStore.Filter(
            serverID: call.query("instance_uuid"), host: call.query("host") ?? call.query("source_compute"),
            status: call.query("status"), kind: call.query("migration_type"))
        // A caller who may not list all migrations sees those of the own project.
        if !call.caller.may(.listAllMigrations) { filter.projectID = call.caller.projectID }
        let changes = try ChangeWindow(
            since: call.minor >= Self.timesSince ? call.query("changes-since") : nil,
            before: call.minor >= Self.beforeSince ? call.query("changes-before") : nil)
        (filter.changedSince, filter.changedBefore) = (changes.since, changes.before)
        if call.minor >= Self.ownersSince {
            filter.userID = call.query("user_id")
            if let project = call.query("project_id") {
                if filter.projectID != nil, project != filter.projectID { try call.caller.require(.listAllMigrations) }
                filter.projectID = project
            }
        }
        let found = try await migrations.list(filter, call.minor >= Self.timesSince ? try call.page() : nil)
        let showsHosts = call.caller.may(.showMigrationHosts)
        return try await .page(of: found.count) {
            .json { json in
                json.array("migrations", of: found) { json, migration in
                    json.object { Self.write(migration, call.minor, hosts: showsHosts, &$0) }
                }
                guard call.minor >= Self.timesSince else { return }
                Links(call).next(
                    &json, "migrations_links", "os-migrations", call, count: found.count, last: found.last?.id)
            }
        }
    }

    private static func write(_ migration: ServerMigration, _ minor: Int, hosts: Bool, _ json: inout JSONWriter) {
        json.member("id", migration.number)
        if minor >= timesSince { json.member("uuid", migration.id) }
        json.member("instance_uuid", migration.serverID)
        json.member("status", migration.status)
        if minor >= 23 { json.member("migration_type", migration.kind.rawValue) }
        json.member("source_compute", hosts ? migration.source : nil)
        json.member("source_node", hosts ? migration.source : nil)
        json.member("dest_compute", hosts ? migration.destination : nil)
        json.member("dest_node", hosts ? migration.destination : nil)
        json.member("dest_host", nil as String?)
        json.member("old_instance_type_id", migration.oldFlavor)
        json.member("new_instance_type_id", migration.newFlavor)
        json.member("created_at", migration.createdAt.iso8601MicrosecondsNoZone)
        json.member("updated_at", migration.updatedAt.iso8601MicrosecondsNoZone)
        if minor >= ownersSince {
            json.member("user_id", migration.userID)
            json.member("project_id", migration.projectID)
        }
    }
}
