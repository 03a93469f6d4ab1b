import CloudCore
import HTTPKit

/// That somebody proved who they are, by one method.
struct Proof: Sendable {
    var user: User
    var methods: AuthMethods
    /// The token that was shown, when one was: what comes of it belongs to its chain and ends when it does.
    var parent: Token?
    /// The scope that the method brings with it; nothing else can be asked for then.
    var scope: Token.Scope?
    var expiresAt: Timestamp?
    var applicationCredentialID: ID<Kind.ApplicationCredential>?
    var accessTokenID: ID<AccessToken>?

    init(user: User, _ methods: AuthMethods) {
        self.user = user
        self.methods = methods
    }
}

/// The ways to prove who one is that the API has.
struct AuthenticationMethods: Sendable {
    let identity: IdentityContext
    let users: UserService
    let tokens: TokenService

    /// The names that a body may have.
    static let names: Set<String> = ["password", "token", "totp", "application_credential", "oauth1"]

    /// Tests a claim.
    ///
    /// - Parameters:
    ///   - call: the request, for the method that signs it.
    ///   - known: who has been proved already, by another method or by a receipt.
    /// - Throws: `CloudError.unauthenticated`, whatever is wrong: a stranger must not learn what.
    func prove(_ claim: AuthRequest.Claim, _ call: Call, after known: ID<Kind.User>?) async throws -> Proof {
        switch claim {
        case .password(let claim): try await PasswordMethod(identity: identity, users: users).prove(claim)
        case .token(let text): try await TokenMethod(identity: identity, tokens: tokens).prove(text)
        case .totp(let claim): try await TOTPMethod(identity: identity, users: users).prove(claim, after: known)
        case .applicationCredential(let claim): try await ApplicationCredentialMethod(identity: identity).prove(claim)
        case .oauth1: try await OAuthMethod(identity: identity).prove(call)
        }
    }
}
