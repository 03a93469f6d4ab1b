import CloudCore
import HTTPKit
import Resources

/// `/v3/users`, but for what others hang below a user.
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

    /// Without a token: an expired password must be changed to get one.
    private func changePassword(_ call: Call) async throws -> Reply {
        try await users.changePassword(call.id("user_id"), call.body.json())
        return .noContent
    }
}
