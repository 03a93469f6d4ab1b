import CloudCore
import HTTPKit

/// The result of one or more authentication methods that succeeded for a user.
struct Proof: Sendable {
    var user: User
    var methods: AuthMethods
    /// The token that was shown, if one was. A token that is made from it belongs to its chain and ends when it does.
    var parent: Token?
    /// The scope that the method fixes. The caller cannot ask for another.
    var scope: Token.Scope?
    var expiresAt: Timestamp?
    var applicationCredentialID: ID<Kind.ApplicationCredential>?
    var accessTokenID: ID<AccessToken>?

    init(user: User, _ methods: AuthMethods) {
        self.user = user
        self.methods = methods
    }
}

/// The authentication methods of the API.
struct AuthenticationMethods: Sendable {
    let identity: IdentityContext
    let users: UserService
    let tokens: TokenService

    /// The names of the methods in a body.
    static let names: Set<String> = ["password", "token", "totp", "application_credential", "oauth1"]

    /// Checks a claim.
    ///
    /// - Parameters:
    ///   - call: the request, for the method that signs it.
    ///   - known: the user whom another method or a receipt has already proved.
    /// - Throws: `CloudError.unauthenticated` for a wrong claim. It does not say what is wrong. After too many of them,
    /// `.tooManyRequests`. Tokens and OAuth1 also throw the errors of the reference (`.notFound`, `.forbidden`,
    /// `.badRequest`).
    func prove(_ claim: AuthRequest.Claim, _ call: Call, after known: ID<Kind.User>?) async throws -> Proof {
        switch claim {
        case .password(let claim):
            try await PasswordMethod(identity: identity, users: users).prove(claim, from: call.remoteAddress)
        case .token(let text): try await TokenMethod(identity: identity, tokens: tokens).prove(text)
        case .totp(let claim):
            try await TOTPMethod(identity: identity, users: users).prove(claim, after: known, from: call.remoteAddress)
        case .applicationCredential(let claim):
            try await ApplicationCredentialMethod(identity: identity).prove(claim, from: call.remoteAddress)
        case .oauth1: try await OAuthMethod(identity: identity).prove(call)
        }
    }
}
