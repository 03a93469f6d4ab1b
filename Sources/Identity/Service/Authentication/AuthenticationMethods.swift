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
    let password: PasswordMethod
    let token: TokenMethod
    let totp: TOTPMethod
    let applicationCredential: ApplicationCredentialMethod
    let oauth1: OAuthMethod

    init(identity: IdentityContext, users: UserService, tokens: TokenService) {
        password = PasswordMethod(identity: identity, users: users)
        token = TokenMethod(identity: identity, tokens: tokens)
        totp = TOTPMethod(identity: identity, users: users)
        applicationCredential = ApplicationCredentialMethod(identity: identity)
        oauth1 = OAuthMethod(identity: identity)
    }

    static let names: Set<String> = ["password", "token", "totp", "application_credential", "oauth1"]

    /// - Parameters:
    ///   - call: the request, for the method that signs it.
    ///   - known: who has been proved already, by another method or by a receipt.
    /// - Throws: `CloudError.unauthenticated`, whatever is wrong: a stranger must not learn what.
    func prove(_ claim: AuthRequest.Claim, _ call: Call, after known: ID<Kind.User>?) async throws -> Proof {
        switch claim {
        case .password(let claim): try await password.prove(claim)
        case .token(let text): try await token.prove(text)
        case .totp(let claim): try await totp.prove(claim, after: known)
        case .applicationCredential(let claim): try await applicationCredential.prove(claim)
        case .oauth1: try await oauth1.prove(call)
        }
    }
}
