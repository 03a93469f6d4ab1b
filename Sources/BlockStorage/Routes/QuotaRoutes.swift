import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/os-quota-sets`, `/os-quota-class-sets` and `/limits`.
struct QuotaRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let quotas: QuotaService

    private static let path = "/os-quota-sets/{project_id}"
    /// The first minor version in which an administrator asks for the limits of another project.
    private static let otherProjectsSince = 39

    var all: [Route] { ofProjects + ofClasses + [maker.route(.get, "/limits", nil) { try await limits($0) }] }

    private var ofProjects: [Route] {
        @Sendable func project(_ call: VolumeCall) -> String { call.parameter("project_id") }
        return [
            maker.route(.get, Self.path, nil) { call in
                try call.caller.require(.showQuota, of: project(call))
                let entries = try await quotas.entries(of: project(call))
                return Self.answer(entries, id: project(call), withUse: try call.truth("usage"))
            },
            maker.route(.get, Self.path + "/defaults", nil) { call in
                try call.caller.require(.showQuota, of: project(call))
                return Self.answer(try await quotas.defaults(), id: project(call), withUse: false)
            },
            maker.route(.put, Self.path, nil) { call in
                try call.caller.require(.updateQuota, of: project(call))
                let given = try await call.read(Self.set.inside("quota_set"))
                let entries = try await quotas.update(Self.numbers(given), of: project(call))
                return Self.answer(entries, id: nil, withUse: false)
            },
            maker.route(.delete, Self.path, nil) { call in
                try call.caller.require(.deleteQuota, of: project(call))
                try await quotas.delete(of: project(call))
                return .ok
            },
        ]
    }

    private var ofClasses: [Route] {
        let path = "/os-quota-class-sets/{name}"
        return [
            maker.route(.get, path, .getQuotaClass) { call in
                let name = call.parameter("name")
                return Self.answer(
                    try await quotas.entries(ofClass: name), id: name, withUse: false, "quota_class_set")
            },
            maker.route(.put, path, .updateQuotaClass) { call in
                let given = try await call.read(Self.set.inside("quota_class_set"))
                let name = call.parameter("name")
                guard (1...255).contains(name.count) else {
                    throw CloudError.badRequest("quota_class_name has \(name.count) characters, more than 255.")
                }
                let entries = try await quotas.update(Self.numbers(given), ofClass: name)
                return Self.answer(entries, id: nil, withUse: false, "quota_class_set")
            },
        ]
    }

    // MARK: Bodies

    private static let limit = Form.whole(-1...Shape.largestInteger)
    private static let set = Form.entries(.resourceName, limit, 1...Int.max)

    /// Returns the limits without the members that are no resource and that older clients send.
    private static func numbers(_ given: [(key: String, value: Int)]) -> [(name: String, limit: Int)] {
        given.filter { !["tenant_id", "id"].contains($0.key) }.map { (name: $0.key, limit: $0.value) }
    }

    // MARK: Answers

    private static func answer(
        _ entries: [QuotaService.Entry], id: String?, withUse: Bool, _ key: StaticString = "quota_set"
    ) -> Reply {
        .json { json in
            json.object(key) { json in
                for entry in entries {
                    json.key(dynamic: entry.name)
                    guard withUse else {
                        json.integer(Int64(entry.limit))
                        continue
                    }
                    json.object { json in
                        json.member("limit", entry.limit)
                        json.member("in_use", entry.used)
                        json.member("reserved", 0)
                    }
                }
                if let id { json.member("id", id) }
            }
        }
    }

    private static let limitNames: [(resource: QuotaResource, name: StaticString)] = [
        (.volumes, "maxTotalVolumes"), (.gigabytes, "maxTotalVolumeGigabytes"), (.snapshots, "maxTotalSnapshots"),
        (.backups, "maxTotalBackups"), (.backupGigabytes, "maxTotalBackupGigabytes"),
    ]
    private static let usedNames: [(resource: QuotaResource, name: StaticString)] = [
        (.volumes, "totalVolumesUsed"), (.gigabytes, "totalGigabytesUsed"), (.snapshots, "totalSnapshotsUsed"),
        (.backups, "totalBackupsUsed"), (.backupGigabytes, "totalBackupGigabytesUsed"),
    ]

    private func limits(_ call: VolumeCall) async throws -> Reply {
        var project = call.caller.projectID
        if call.minor >= Self.otherProjectsSince, call.caller.isAdministrator {
            project = call.query("project_id") ?? call.query("tenant_id") ?? project
        }
        let entries = try await quotas.entries(of: project)
        func entry(_ resource: QuotaResource) -> QuotaService.Entry? { entries.first { $0.name == resource.rawValue } }
        let showsUse = call.caller.may(.showUsedLimits)
        return .json { json in
            json.object("limits") { json in
                json.array("rate", of: [] as [Int]) { $0.integer(Int64($1)) }
                json.object("absolute") { json in
                    for (resource, name) in Self.limitNames { json.member(name, entry(resource)?.limit) }
                    guard showsUse else { return }
                    for (resource, name) in Self.usedNames { json.member(name, entry(resource)?.used) }
                }
            }
        }
    }
}
