import CloudCore
import HTTPKit
import Resources

/// The routes of `/v3/users`. The routes of other nouns below a user are elsewhere.
struct UserRoutes: Sendable {
    let users: UserService

    var all: [Route] {
        ResourceRoutes(users, at: "/v3/users").all + [
            .post("/v3/users/{user_id}/password", changePassword),
            .delete("/v3/users/{user_id}/tokens") { call in
                try await users.revokeTokens(of: call.id("user_id"), by: call.caller())
                return .noContent
            },
        ]
    }

    /// Changes a user's own password. It needs no token, because a user with an expired password cannot get one.
    private func changePassword(_ call: Call) async throws -> Reply {
        try await users.changePassword(call.id("user_id"), call.body.json(), from: call.remoteAddress)
        return .noContent
    }
}
