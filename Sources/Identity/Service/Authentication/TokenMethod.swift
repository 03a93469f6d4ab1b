import CloudCore
import HTTPKit
import Resources

/// The authentication method of valid tokens. Users get a token with another scope by it.
struct TokenMethod: Sendable {
    let identity: IdentityContext
    let tokens: TokenService

    func prove(_ text: String) async throws -> Proof {
        let verified: TokenService.Verified
        do {
            verified = try await tokens.verified(text)
        } catch let error as CloudError where error.kind == .unauthenticated {
            // Keystone and its clients treat a wrong token as a missing resource, not as a wrong password.
            throw CloudError(.notFound, "Failed to validate token", detail: error.detail)
        }
        let token = verified.authorization.token
        // A delegation must not be turned into more rights, or into rights for a longer time.
        if token.accessTokenID != nil {
            throw CloudError.forbidden("An OAuth-scoped token cannot be used to create another token. Create a new one instead.")
        }
        if token.trustID != nil {
            throw CloudError.forbidden("A trust-scoped token cannot be used to create another token. Create a new one instead.")
        }
        guard !token.methods.isDelegated else { throw CloudError.forbidden("A delegated token cannot be used to create another token.") }
        let user = try await identity.base.read { tx in try ResourceStore<User>().find(token.userID, in: tx) }
        guard let user else { throw TokenService.refused("no such user") }
        var proof = Proof(user: user, token.methods.union(.token))
        proof.parent = token
        proof.expiresAt = token.expiresAt
        return proof
    }
}
