import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The OAuth1 access tokens that users have granted to consumers.
struct AccessTokenService: IdentityService {
    typealias R = AccessToken

    let identity: IdentityContext
    private let directory = RoleDirectory()
    private let revocations = RevocationStore()

    private static let act = "manage OAuth access tokens"

    func list(of user: ID<Kind.User>, _ query: Query, by caller: Principal) async throws -> (rows: [AccessToken], hasMore: Bool) {
        try authorise(.listAccessTokens, caller)
        var asked = try AccessToken.schema.query(from: query)
        asked.filter("user_id", .equals, user)
        let list = asked
        return try await context.read { tx in try store.page(list, in: tx) }
    }

    func get(_ id: ID<AccessToken>, of user: ID<Kind.User>, by caller: Principal) async throws -> AccessToken {
        try authorise(.getAccessToken, caller)
        return try await context.read { tx in try require(id, of: user, in: tx) }
    }

    func roles(of id: ID<AccessToken>, _ user: ID<Kind.User>, by caller: Principal) async throws -> [Role] {
        try context.policy.require(.listAccessTokenRoles, caller)
        return try await context.read { tx in try directory.roles(try require(id, of: user, in: tx).roles, in: tx) }
    }

    func role(_ role: ID<Kind.Role>, of id: ID<AccessToken>, _ user: ID<Kind.User>, by caller: Principal) async throws -> Role {
        try context.policy.require(.getAccessTokenRole, caller)
        return try await context.read { tx in
            let token = try store.require(id, in: tx)
            guard token.userID == user else { throw Self.otherUser }
            guard token.roles.contains(role), let found = try directory.roles([role], in: tx).first else {
                throw CloudError.notFound("role", role.text)
            }
            return found
        }
    }

    /// Deletes an access token. Tokens that were issued with it are invalid from the commit on.
    func delete(_ id: ID<AccessToken>, of user: ID<Kind.User>, by caller: Principal) async throws {
        try authorise(.deleteAccessToken, caller)
        try identity.countRevocation(by: caller.userID)
        try await context.write { tx in
            let token = try store.require(id, in: tx)
            guard token.userID == user else { throw Self.otherUser }
            var event = Revocation(id: context.world.random.hexID(), at: context.world.now)
            event.accessTokenID = id.text
            try revocations.insert(event, in: tx)
            try store.delete(id, in: tx)
        }
    }

    private func authorise(_ action: Action, _ caller: Principal) throws {
        try context.policy.require(action, caller)
        try caller.requireUndelegated(to: Self.act)
    }

    private func require(_ id: ID<AccessToken>, of user: ID<Kind.User>, in tx: Transaction) throws -> AccessToken {
        guard let token = try store.find(id, in: tx), token.userID == user else { throw CloudError.notFound("access token", id.text) }
        return token
    }

    /// The error that the reference sends. Elsewhere a token of another user counts as missing.
    private static let otherUser = CloudError(.unauthenticated, "User IDs do not match.")
}
