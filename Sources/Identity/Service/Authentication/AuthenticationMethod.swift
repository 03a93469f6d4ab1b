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

/// One way to prove who one is.
protocol AuthenticationMethod: Sendable {
    /// - Parameter call: the request, for methods that sign it.
    /// - Throws: `CloudError.unauthenticated`, whatever is wrong: a stranger must not learn what.
    func prove(_ parameters: JSONObject, _ call: Call) async throws -> Proof

    /// - Parameter known: who has been proved already, by another method or by a receipt.
    func prove(_ parameters: JSONObject, _ call: Call, after known: ID<Kind.User>?) async throws -> Proof
}

extension AuthenticationMethod {
    func prove(_ parameters: JSONObject, _ call: Call, after known: ID<Kind.User>?) async throws -> Proof {
        try await prove(parameters, call)
    }
}
