import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/os-quota-sets`, `/os-quota-class-sets` and `/limits`.
struct QuotaRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let quotas: QuotaService

    private static let path = "/os-quota-sets/{project_id}"
    private static let query = QueryShape([("user_id", .any)], closedSince: 75)
    private static let limit = Form.whole(-1...Shape.largestInteger)

    private struct Change: Sendable {
        var limits: [QuotaResource: Int] = [:]
        var isForced = false
    }

    /// Returns the members of a body that sets the limits of these resources.
    private static func limits(of known: [QuotaResource]) -> [FormMember<Change>] {
        known.map { .optional($0.rawValue, \.limits[$0], limit) }
    }
    private static let lastWithNetworking = 35
    private static let lastClassWithNetworking = 49

    var all: [Route] {
        [
            maker.route(.get, Self.path, nil, query: Self.query) { call in
                try call.caller.require(.showQuota, projectID: call.parameter("project_id"))
                return Self.answer(try await get(call), call, id: call.parameter("project_id"))
            },
            maker.route(.get, Self.path + "/detail", nil, query: Self.query) { call in
                try call.caller.require(.detailQuota, projectID: call.parameter("project_id"))
                return Self.detail(try await get(call), call)
            },
            maker.route(.get, Self.path + "/defaults", .defaultQuotas) { call in
                let project = call.parameter("project_id")
                let limits = try await quotas.defaults(project: project)
                return Self.answer(limits.mapValues { .init(limit: $0, used: 0) }, call, id: project)
            },
            maker.route(.put, Self.path, nil, query: Self.query) { call in try await update(call) },
            maker.route(.delete, Self.path, nil, query: Self.query) { call in
                try call.caller.require(.deleteQuota, projectID: call.parameter("project_id"))
                try await quotas.delete(project: call.parameter("project_id"), user: call.query("user_id"))
                return .accepted
            },
            maker.route(.get, "/os-quota-class-sets/{name}", .showQuotaClass) { call in
                let name = call.parameter("name")
                return Self.classAnswer(try await quotas.ofClass(name), name, call.minor)
            },
            maker.route(.put, "/os-quota-class-sets/{name}", .updateQuotaClass) { call in try await updateClass(call) },
            maker.route(
                .get, "/limits", .showLimits, query: QueryShape([("tenant_id", .any), ("reserved", .any)], closedSince: 75)
            ) { call in try await limits(call) },
        ]
    }

    private func get(_ call: ComputeCall) async throws -> [QuotaResource: QuotaService.Entry] {
        try await quotas.get(project: call.parameter("project_id"), user: call.query("user_id"))
    }

    // MARK: Projects

    private func update(_ call: ComputeCall) async throws -> Reply {
        let project = call.parameter("project_id")
        try call.caller.require(.updateQuota, projectID: project)
        let known = QuotaResource.known(call.minor, networkingUntil: Self.lastWithNetworking)
        let form = Form.object(Change(), Self.limits(of: known) + [.optional("force", \.isForced, .truth)]).inside("quota_set")
        let change = try await call.read(form)
        let entries = try await quotas.update(
            Self.ordered(change, known), project: project, user: call.query("user_id"), isForced: change.isForced)
        return Self.answer(entries, call, id: nil)
    }

    private static func ordered(_ change: Change, _ known: [QuotaResource]) -> [(resource: QuotaResource, limit: Int)] {
        known.compactMap { resource in change.limits[resource].map { (resource: resource, limit: $0) } }
    }

    private static func answer(_ entries: [QuotaResource: QuotaService.Entry], _ call: ComputeCall, id: String?) -> Reply {
        .json { json in
            json.object("quota_set") { json in
                if let id { json.member("id", id) }
                write(QuotaResource.known(call.minor, networkingUntil: lastWithNetworking), entries.mapValues(\.limit), &json)
            }
        }
    }

    private static func write(_ known: [QuotaResource], _ limits: [QuotaResource: Int], _ json: inout JSONWriter) {
        for resource in known {
            json.key(dynamic: resource.rawValue)
            json.integer(Int64(limits[resource] ?? resource.usual))
        }
    }

    private static func detail(_ entries: [QuotaResource: QuotaService.Entry], _ call: ComputeCall) -> Reply {
        .json { json in
            json.object("quota_set") { json in
                json.member("id", call.parameter("project_id"))
                for resource in QuotaResource.known(call.minor, networkingUntil: lastWithNetworking) {
                    json.object(dynamic: resource.rawValue) { json in
                        json.member("limit", entries[resource]?.limit)
                        json.member("in_use", entries[resource]?.used)
                        json.member("reserved", 0)
                    }
                }
            }
        }
    }

    // MARK: Classes

    private static func known(inClass minor: Int) -> [QuotaResource] {
        QuotaResource.known(minor, networkingUntil: lastClassWithNetworking).filter {
            minor > lastClassWithNetworking || ($0 != .serverGroups && $0 != .serverGroupMembers)
        }
    }

    private func updateClass(_ call: ComputeCall) async throws -> Reply {
        let settable = QuotaResource.known(call.minor, networkingUntil: Self.lastClassWithNetworking)
        let change = try await call.read(Form.object(Change(), Self.limits(of: settable)).inside("quota_class_set"))
        let name = call.parameter("name")
        guard (1...255).contains(name.count) else {
            throw CloudError.badRequest("Invalid input received: quota_class_name has \(name.count) characters, more than 255.")
        }
        return Self.classAnswer(try await quotas.update(Self.ordered(change, settable), inClass: name), nil, call.minor)
    }

    private static func classAnswer(_ limits: [QuotaResource: Int], _ name: String?, _ minor: Int) -> Reply {
        .json { json in
            json.object("quota_class_set") { json in
                if let name { json.member("id", name) }
                write(known(inClass: minor), limits, &json)
            }
        }
    }

    // MARK: Limits

    private func limits(_ call: ComputeCall) async throws -> Reply {
        var project = call.caller.projectID
        if let other = call.query("tenant_id") {
            project = other
            try call.caller.require(.otherProjectLimits)
        }
        let entries = try await quotas.entries(project: project, user: nil)
        return .json { json in
            json.object("limits") { json in
                json.array("rate", of: [] as [Int]) { $0.integer(Int64($1)) }
                json.object("absolute") { Self.absolute(entries, call.minor, &$0) }
            }
        }
    }

    private static let limitNames: [(resource: QuotaResource, name: StaticString)] = [
        (.instances, "maxTotalInstances"), (.cores, "maxTotalCores"), (.ram, "maxTotalRAMSize"), (.keyPairs, "maxTotalKeypairs"),
        (.floatingIPs, "maxTotalFloatingIps"), (.metadataItems, "maxServerMeta"), (.metadataItems, "maxImageMeta"),
        (.injectedFiles, "maxPersonality"), (.injectedFileBytes, "maxPersonalitySize"), (.securityGroups, "maxSecurityGroups"),
        (.securityGroupRules, "maxSecurityGroupRules"), (.serverGroups, "maxServerGroups"),
        (.serverGroupMembers, "maxServerGroupMembers"),
    ]
    private static let usedNames: [(resource: QuotaResource, name: StaticString)] = [
        (.ram, "totalRAMUsed"), (.cores, "totalCoresUsed"), (.instances, "totalInstancesUsed"), (.floatingIPs, "totalFloatingIpsUsed"),
        (.securityGroups, "totalSecurityGroupsUsed"), (.serverGroups, "totalServerGroupsUsed"),
    ]

    private static func absolute(_ entries: [QuotaResource: QuotaService.Entry], _ minor: Int, _ json: inout JSONWriter) {
        let known = Set(QuotaResource.known(minor, networkingUntil: lastWithNetworking))
        for (resource, name) in limitNames where known.contains(resource) {
            if minor >= 39, name.description == "maxImageMeta" { continue }
            json.member(name, entries[resource]?.limit)
        }
        for (resource, name) in usedNames where known.contains(resource) { json.member(name, entries[resource]?.used) }
    }
}
