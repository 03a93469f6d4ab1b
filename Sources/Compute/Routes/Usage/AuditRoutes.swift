import CloudCore
import HTTPKit
import HTTPTypes

/// The route of `/os-instance_usage_audit_log`, which lists the hosts that have written their reports of a month's
/// usage. No host writes any, because usage is counted from rows.
struct AuditRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let hosts: HostService

    private static let path = "/os-instance_usage_audit_log"

    var all: [Route] {
        [
            maker.route(.get, Self.path, .listAudits) { call in
                try await answer("instance_usage_audit_logs", before: hosts.context.world.now)
            },
            maker.route(.get, Self.path + "/{before}", .showAudit) { call in
                let text = call.parameter("before")
                guard text.contains(" "), let before = Timestamp(iso8601: text.replacing(" ", with: "T") + "Z") else {
                    throw CloudError.badRequest("Invalid timestamp for date \(text.prefix(60))")
                }
                return try await answer("instance_usage_audit_log", before: before)
            },
        ]
    }

    private func answer(_ key: StaticString, before: Timestamp) async throws -> Reply {
        let names = try await hosts.all().map(\.name)
        let (begin, end) = Self.period(before: before)
        return .json { json in
            json.object(key) { json in
                json.member("period_beginning", begin)
                json.member("period_ending", end)
                json.member("num_hosts", names.count)
                json.member("num_hosts_done", 0)
                json.member("num_hosts_running", 0)
                json.member("num_hosts_not_run", names.count)
                json.array("hosts_not_run", of: names) { $0.string($1) }
                json.member("total_instances", 0)
                json.member("total_errors", 0)
                json.member("overall_status", "\(names.isEmpty ? "ALL" : "0 of \(names.count)") hosts done. 0 errors.")
                json.object("log") { _ in }
            }
        }
    }

    /// Returns the beginning and the end of the last whole month before a time.
    private static func period(before: Timestamp) -> (String, String) {
        let parts = before.iso8601Seconds.prefix(7).split(separator: "-").compactMap { Int($0) }
        guard parts.count == 2 else { return ("", "") }
        func first(_ month: Int) -> String {
            let (year, month) = (month / 12, month % 12 + 1)
            return "\(year)-\(month < 10 ? "0" : "")\(month)-01 00:00:00"
        }
        let month = parts[0] * 12 + parts[1] - 1
        return (first(month - 1), first(month))
    }
}
