import CloudCore
import HTTPKit
import HTTPTypes

/// `/os-server-groups`
struct ServerGroupRoutes: Sendable {
    let endpoint: Endpoint
    let groups: ServerGroupService

    private static let path = "/os-server-groups/{server_group_id}"
    /// One policy with rules instead of a list of policies.
    private static let onePolicySince = 64
    private static let query = QueryShape(
        [("all_projects", .text()), ("limit", .natural), ("offset", .natural)], closedSince: 75)

    var all: [Route] {
        [
            endpoint.route(.get, "/os-server-groups", .listServerGroups, query: Self.query) { call in
                var page = try call.page(hasOffset: true)
                page.marker = nil
                if page.limit == 0 { page.limit = Page.most }
                let found = try await groups.list(all: call.call.query.has("all_projects"), page, by: call.caller)
                return .json { json in
                    json.array("server_groups", of: found) { json, group in json.object { Self.write(group, call.minor, &$0) } }
                }
            },
            endpoint.route(.post, "/os-server-groups", .createServerGroup) { call in try await create(call) },
            endpoint.route(.get, Self.path, nil) { call in
                Self.answer(try await groups.get(call.call.id("server_group_id"), by: call.caller), call.minor)
            },
            endpoint.route(.delete, Self.path, nil) { call in
                try await groups.delete(call.call.id("server_group_id"), by: call.caller)
                return .noContent
            },
        ]
    }

    private static func shape(_ minor: Int) -> BodyShape {
        var words = ["anti-affinity", "affinity"]
        if minor >= 15 { words += ["soft-anti-affinity", "soft-affinity"] }
        guard minor >= onePolicySince else {
            return .envelope(
                "server_group", [("name", .name), ("policies", .list(.word(of: words), 1...1, unique: true))],
                required: ["name", "policies"])
        }
        return .envelope(
            "server_group",
            [("name", .name), ("policy", .word(of: words)), ("rules", .object([("max_server_per_host", .positive)]))],
            required: ["name", "policy"])
    }

    private func create(_ call: ComputeCall) async throws -> Reply {
        let given = try await call.body(Self.shape(call.minor))["server_group"] ?? [:]
        let word = given["policy"]?.string ?? given["policies"]?.array?.first?.string ?? ""
        let policy = ServerGroup.Policy(rawValue: word) ?? .affinity
        let rules = given["rules"]?.object
        if policy != .antiAffinity, let rules, !rules.isEmpty {
            throw CloudError.badRequest("Only anti-affinity policy supports rules.")
        }
        let group = try await groups.create(
            given["name"]?.string?.trimmed ?? "", policy, mostPerHost: rules?["max_server_per_host"]?.whole, by: call.caller)
        return Self.answer(group, call.minor)
    }

    private static func answer(_ group: ServerGroup, _ minor: Int) -> Reply {
        .json { json in json.object("server_group") { write(group, minor, &$0) } }
    }

    private static func write(_ group: ServerGroup, _ minor: Int, _ json: inout JSONWriter) {
        json.member("id", group.id)
        json.member("name", group.name)
        if minor >= onePolicySince {
            json.member("policy", group.policy.rawValue)
            json.object("rules") { json in
                if let most = group.mostPerHost { json.member("max_server_per_host", most) }
            }
        } else {
            json.array("policies", of: [group.policy.rawValue]) { $0.string($1) }
            json.object("metadata") { _ in }
        }
        json.array("members", of: group.members) { $0.string($1.text) }
        if minor >= 13 {
            json.member("project_id", group.projectID)
            json.member("user_id", group.userID)
        }
    }
}
