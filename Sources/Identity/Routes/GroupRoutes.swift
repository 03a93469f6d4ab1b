import CloudCore
import HTTPKit
import Resources

/// The routes of `/v3/groups`, of their members, and of `/v3/users/{user_id}/groups`.
struct GroupRoutes: Sendable {
    let groups: GroupService

    private static let member = "/v3/groups/{group_id}/users/{user_id}"

    var all: [Route] {
        ResourceRoutes(groups, at: "/v3/groups").all + [
            .get("/v3/groups/{group_id}/users") { call in
                let caller = try await call.caller()
                return Views.list(try await groups.members(of: call.id("group_id"), call.query, by: caller), call, "/v3/users")
            },
            .get("/v3/users/{user_id}/groups") { call in
                let caller = try await call.caller()
                return Views.list(try await groups.groups(of: call.id("user_id"), call.query, by: caller), call, "/v3/groups")
            },
            .get(Self.member) { call in
                try await groups.check(call.id("user_id"), in: call.id("group_id"), by: call.caller())
                return .noContent
            },
            .put(Self.member) { call in
                try await groups.add(call.id("user_id"), to: call.id("group_id"), by: call.caller())
                return .noContent
            },
            .delete(Self.member) { call in
                try await groups.remove(call.id("user_id"), from: call.id("group_id"), by: call.caller())
                return .noContent
            },
        ]
    }
}
