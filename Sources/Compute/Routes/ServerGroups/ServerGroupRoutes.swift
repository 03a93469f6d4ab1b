import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/os-server-groups`.
struct ServerGroupRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let groups: ServerGroupService

    private static let path = "/os-server-groups/{server_group_id}"
    /// The first microversion in which a group has one policy with rules instead of a list of policies.
    private static let onePolicySince = 64
    private static let query = QueryShape(
        [("all_projects", .any), ("limit", .natural), ("offset", .natural)], closedSince: 75)

    var all: [Route] {
        [
            maker.route(.get, "/os-server-groups", .listServerGroups, query: Self.query) { call in
                var page = try call.page(hasOffset: true)
                page.marker = nil
                if page.limit == 0 { page.limit = Page.most }
                let found = try await groups.list(all: call.call.query.has("all_projects"), page, by: call.caller)
                return try await .page("server_groups", of: found) { Self.write($0, call.minor, &$1) }
            },
            maker.route(.post, "/os-server-groups", .createServerGroup) { call in try await create(call) },
            maker.route(.get, Self.path, nil) { call in
                Self.answer(try await groups.get(call.call.id("server_group_id"), by: call.caller), call.minor)
            },
            maker.route(.delete, Self.path, nil) { call in
                try await groups.delete(call.call.id("server_group_id"), by: call.caller)
                return .noContent
            },
        ]
    }

    private struct New: Sendable {
        var name = ""
        var policy = ServerGroup.Policy.affinity
        var rules = Rules()
    }
    private struct Rules: Sendable {
        var mostPerHost: Int?
    }

    private static let hard: [ServerGroup.Policy] = [.antiAffinity, .affinity]
    private static let allPolicies = hard + [.softAntiAffinity, .softAffinity]
    private static func one(of policies: [ServerGroup.Policy]) -> Form<ServerGroup.Policy> {
        Form.array(.word(of: policies), 1...1, unique: true).mapped { $0[0] }
    }
    private static let new = Form.object(
        New(),
        [
            .required("name", \.name, .plainName), .required("policies", \.policy, one(of: hard), until: 14),
            .required("policies", \.policy, one(of: allPolicies), since: 15, until: onePolicySince - 1),
            .required("policy", \.policy, .word(of: allPolicies), since: onePolicySince),
            .optional(
                "rules", \.rules, .object(Rules(), [.optional("max_server_per_host", \.mostPerHost, .positive)]), since: onePolicySince),
        ]
    ).inside("server_group")

    private func create(_ call: ComputeCall) async throws -> Reply {
        let new = try await call.read(Self.new)
        if new.policy != .antiAffinity, new.rules.mostPerHost != nil {
            throw CloudError.badRequest("Only anti-affinity policy supports rules.")
        }
        let group = try await groups.create(new.name, new.policy, mostPerHost: new.rules.mostPerHost, by: call.caller)
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
