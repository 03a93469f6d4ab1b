import CloudCore
import HTTPKit
import Resources

/// The authentication method of requests that are signed with an OAuth1 access token.
struct OAuthMethod: Sendable {
    private let identity: IdentityContext
    private let oauth: OAuthService

    init(identity: IdentityContext) {
        self.identity = identity
        oauth = OAuthService(identity: identity)
    }

    func prove(_ call: Call) async throws -> Proof {
        let token = try await oauth.accessToken(of: call)
        let user = try await identity.base.read { tx in try ResourceStore<User>().find(token.userID, in: tx) }
        guard let user, user.isEnabled else { throw TokenService.refused("disabled") }
        var proof = Proof(user: user, .oauth1)
        proof.scope = .project(token.projectID)
        proof.expiresAt = token.expiresAt
        proof.accessTokenID = token.id
        return proof
    }
}
