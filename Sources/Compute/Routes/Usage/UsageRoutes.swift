import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/os-simple-tenant-usage`.
struct UsageRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let usages: UsageService

    private static let pagedSince = 40
    private static let query = QueryShape(
        QueryShape.paged + [("start", .any), ("end", .any), ("detailed", .any)], closedSince: 75)

    var all: [Route] {
        [
            maker.route(.get, "/os-simple-tenant-usage", .listUsages, query: Self.query) { call in
                let period = try period(call)
                let found = try await records(call, period, project: nil)
                let byProject = Dictionary(grouping: found, by: \.projectID)
                let order = found.map(\.projectID).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
                let isDetailed = call.query("detailed") == "1"
                return try await .page(of: order.count) {
                    .json { json in
                        json.array("tenant_usages", of: order) { json, project in
                            json.object { write(byProject[project] ?? [], project, period, detailed: isDetailed, &$0) }
                        }
                        next(&json, "tenant_usages_links", "os-simple-tenant-usage", call, found)
                    }
                }
            },
            maker.route(.get, "/os-simple-tenant-usage/{project_id}", nil, query: Self.query) { call in
                let project = call.parameter("project_id")
                try call.caller.require(.showUsage, projectID: project)
                let period = try period(call)
                let found = try await records(call, period, project: project)
                return .json { json in
                    json.object("tenant_usage") { json in
                        if !found.isEmpty { write(found, project, period, detailed: true, &json) }
                    }
                    next(&json, "tenant_usage_links", "os-simple-tenant-usage/\(Percent.encode(project))", call, found)
                }
            },
        ]
    }

    private func next(_ json: inout JSONWriter, _ key: StaticString, _ path: String, _ call: ComputeCall, _ found: [UsageRecord]) {
        guard call.minor >= Self.pagedSince else { return }
        Links(call).next(&json, key, path, call, count: found.count, last: found.last?.serverID)
    }

    private func records(
        _ call: ComputeCall, _ period: (start: Timestamp, end: Timestamp), project: String?
    ) async throws -> [UsageRecord] {
        let page = call.minor >= Self.pagedSince ? try call.page() : nil
        return try await usages.records(.init(start: period.start, end: period.end, project: project), page)
    }

    private func period(_ call: ComputeCall) throws -> (start: Timestamp, end: Timestamp) {
        let now = usages.now
        func moment(_ name: String) throws -> Timestamp? {
            guard let text = call.query(name), !text.isEmpty else { return nil }
            guard !text.hasSuffix("Z"), let moment = Timestamp(iso8601: text) else {
                throw CloudError.badRequest("Invalid datetime string: Datetime is in invalid format")
            }
            return moment
        }
        let start = try moment("start") ?? now
        // A missing end counts as later than any start up to now, even if the start is missing, too.
        let end = try moment("end")
        guard end.map({ start < $0 }) ?? (start <= now) else {
            throw CloudError.badRequest("Invalid start time. The start time cannot occur after the end time.")
        }
        return (start, min(end ?? now, now))
    }

    private func write(
        _ records: [UsageRecord], _ project: String, _ period: (start: Timestamp, end: Timestamp), detailed: Bool, _ json: inout JSONWriter
    ) {
        func total(_ amount: (UsageRecord) -> Int) -> Double {
            records.reduce(0) { $0 + Double(amount($1)) * $1.hours(from: period.start, to: period.end) }
        }
        json.member("tenant_id", project)
        json.member("start", period.start.iso8601MicrosecondsNoZone)
        json.member("stop", period.end.iso8601MicrosecondsNoZone)
        json.member("total_hours", total { _ in 1 })
        json.member("total_local_gb_usage", total(\.diskGiB))
        json.member("total_memory_mb_usage", total(\.memoryMiB))
        json.member("total_vcpus_usage", total(\.vcpus))
        guard detailed else { return }
        json.array("server_usages", of: records) { json, record in
            json.object { json in
                json.member("instance_id", record.serverID)
                json.member("name", record.name)
                json.member("tenant_id", record.projectID)
                json.member("flavor", record.flavorName)
                json.member("hours", record.hours(from: period.start, to: period.end))
                json.member("memory_mb", record.memoryMiB)
                json.member("local_gb", record.diskGiB)
                json.member("vcpus", record.vcpus)
                json.member("started_at", record.launchedAt.iso8601MicrosecondsNoZone)
                json.member("ended_at", record.endedAt?.iso8601MicrosecondsNoZone)
                json.member("state", record.endedAt == nil ? record.state : "terminated")
                json.member("uptime", record.uptimeSeconds(usages.now))
            }
        }
    }
}
