import CloudCore
import HTTPKit
import Resources

/// The routes of grants to users and groups on projects, domains and the system. Those of inherited grants are below
/// `/v3/OS-INHERIT`.
struct GrantRoutes: Sendable {
    let grants: GrantService

    var all: [Route] {
        var routes: [Route] = []
        for actor in ["users/{user_id}", "groups/{group_id}"] {
            for target in ["projects/{project_id}", "domains/{domain_id}"] {
                routes += table("/v3/\(target)/\(actor)/roles", behind: "", isInherited: false)
                routes += table("/v3/OS-INHERIT/\(target)/\(actor)/roles", behind: "/inherited_to_projects", isInherited: true)
            }
            routes += table("/v3/system/\(actor)/roles", behind: "", isInherited: false)
        }
        return routes
    }

    /// Returns the routes of one kind of actor and one kind of target.
    ///
    /// - Parameter behind: the end of the path for inherited grants.
    private func table(_ path: String, behind: String, isInherited: Bool) -> [Route] {
        let one = "\(path)/{role_id}\(behind)"
        return [
            .get(path + behind) { call in
                Views.list(try await grants.list(Self.place(call, isInherited), by: call.caller()), call, "/v3/roles")
            },
            .get(one) { call in
                try await grants.check(Self.place(call, isInherited), call.id("role_id"), by: call.caller())
                return .noContent
            },
            .put(one) { call in
                try await grants.create(Self.place(call, isInherited), call.id("role_id"), by: call.caller())
                return .noContent
            },
            .delete(one) { call in
                try await grants.revoke(Self.place(call, isInherited), call.id("role_id"), by: call.caller())
                return .noContent
            },
        ]
    }

    private static func place(_ call: Call, _ isInherited: Bool) -> GrantService.Place {
        let user = call[parameter: "user_id"]
        let project = call[parameter: "project_id"]
        let domain = call[parameter: "domain_id"]
        return GrantService.Place(
            actor: user.isEmpty ? .group(call.id("group_id")) : .user(ID(user)),
            target: !project.isEmpty ? .project(ID(project)) : !domain.isEmpty ? .domain(ID(domain)) : .system,
            isInherited: isInherited)
    }
}
