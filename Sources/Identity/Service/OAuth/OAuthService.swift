import Access
import CloudCore
import HTTPKit
import HTTPTypes
import NIOCore
import Resources
import SQL

/// The steps to an OAuth1 access token: a consumer asks, a user allows it, and the consumer returns with the user's
/// verifier.
struct OAuthService: Sendable {
    let identity: IdentityContext
    private let store = OAuthStore()
    private let directory = RoleDirectory()
    private let assignments = AssignmentStore()

    /// A token that a consumer receives: its id, its secret and its end.
    struct Issued: Sendable {
        var id: String
        var secret: Secret
        var expiresAt: Timestamp
    }

    // MARK: The consumer asks

    func createRequestToken(_ call: Call) async throws -> Issued {
        let request = try await Self.request(call)
        guard let project = call.headers[Self.requestedProject], !project.isEmpty else {
            throw CloudError.badRequest("The header Requested-Project-Id is missing.")
        }
        guard request["oauth_callback"] != nil else { throw CloudError.badRequest("The Authorization header has no oauth_callback.") }
        let consumer = try await identity.base.read { [store] tx in try store.consumers.require(request.consumerID, in: tx) }
        try await verify(request, consumer, token: [])
        let now = identity.world.now
        var token = RequestToken()
        token.id = ID(identity.world.random.hexID())
        token.consumerID = consumer.id
        token.projectID = ID(project)
        token.expiresAt = now + identity.settings.requestTokenLifetime
        let secret = newSecret()
        (token.keyID, token.sealedSecret) = try seal(secret, "request_token/\(token.id)")
        let made = token
        try await identity.base.database.write { [store] tx in
            try Self.use(request, store, in: tx)
            _ = try ResourceStore<Project>().require(made.projectID, in: tx)
            let most = Limits.owner.requestTokens.most
            guard try store.requestTokens(of: made.consumerID, in: tx) < most else {
                throw CloudError.forbidden("The consumer has as many request tokens as it may have: \(most).")
            }
            try store.requestTokens.insert(made, in: tx)
        }
        return Issued(id: made.id.text, secret: secret, expiresAt: made.expiresAt)
    }

    // MARK: A user allows

    /// Records that the user allows a request token.
    ///
    /// - Returns: the verifier, which the user passes to the consumer.
    func authorize(_ id: ID<RequestToken>, _ body: JSONObject, by caller: Principal) async throws -> String {
        try identity.policy.require(.authorizeRequestToken, caller)
        try caller.requireUndelegated(to: "authorize a request token")
        let asked = try Self.permission.parse(.object(body), .house("body"))
        let verifier = newVerifier()
        let now = identity.world.now
        try await identity.base.database.write { [store] tx in
            var token = try store.requestTokens.require(id, in: tx)
            guard now <= token.expiresAt else { throw CloudError(.unauthenticated, "Request token is expired.") }
            let roles = try directory.ids(of: asked, in: tx)
            let held = try assignments.effectiveRoles(of: caller.userID, on: .project(token.projectID), in: tx)
            guard roles.isSubset(of: held.map { ID($0.id) }) else {
                throw CloudError(.unauthenticated, "authorizing user does not have role required")
            }
            token.userID = caller.userID
            token.verifier = verifier
            token.roleIDs = .array(roles.sorted().map { .string($0.text) })
            try store.requestTokens.update(token, in: tx)
        }
        return verifier
    }

    // MARK: The consumer comes back

    func createAccessToken(_ call: Call) async throws -> Issued {
        let request = try await Self.request(call)
        guard let tokenID = request["oauth_token"], let verifier = request["oauth_verifier"] else {
            throw CloudError.badRequest("The Authorization header has no oauth_token or no oauth_verifier.")
        }
        let (asked, consumer) = try await identity.base.read { [store] tx in
            (try store.requestTokens.require(ID(tokenID), in: tx), try store.consumers.find(request.consumerID, in: tx))
        }
        let now = identity.world.now
        guard now <= asked.expiresAt else { throw CloudError(.unauthenticated, "Request token is expired.") }
        guard let consumer, asked.consumerID == consumer.id else {
            throw CloudError(.unauthenticated, "Provided consumer key does not match stored consumer key.")
        }
        try await verify(request, consumer, token: try await open(asked.sealedSecret, asked.keyID, "request_token/\(asked.id)"))
        var token = AccessToken()
        token.id = ID(identity.world.random.hexID())
        token.consumerID = consumer.id
        token.projectID = asked.projectID
        token.expiresAt = now + identity.settings.accessTokenLifetime
        let secret = newSecret()
        (token.keyID, token.sealedSecret) = try seal(secret, "access_token/\(token.id)")
        let complete = token
        try await identity.base.database.write { [store] tx in
            try Self.use(request, store, in: tx)
            // The request token is read again. It may have been used in the meantime, or the user may have allowed
            // other roles.
            let asked = try store.requestTokens.require(asked.id, in: tx)
            guard let user = asked.userID, let wanted = asked.verifier, constantTimeEquals(wanted.utf8, verifier.utf8) else {
                throw CloudError(.unauthenticated, "Provided verifier does not match stored verifier.")
            }
            var token = complete
            token.userID = user
            token.roleIDs = asked.roleIDs
            try store.requestTokens.delete(asked.id, in: tx)
            _ = try ResourceStore<Project>().require(token.projectID, in: tx)
            try IdentityContext.requireRoom(
                store.accessTokens(of: user, in: tx), most: Limits.owner.accessTokens.most, "access tokens")
            try store.accessTokens.insert(token, in: tx)
        }
        return Issued(id: complete.id.text, secret: secret, expiresAt: complete.expiresAt)
    }

    // MARK: The consumer uses it

    /// Returns the access token that a request was signed with.
    ///
    /// - Throws: `CloudError.unauthenticated` if the token or the signature is wrong; `.badRequest` if the header is
    /// incomplete.
    func accessToken(of call: Call) async throws -> AccessToken {
        let request = try OAuthRequest(call)
        guard let id = request["oauth_token"] else { throw CloudError.badRequest("The Authorization header has no oauth_token.") }
        let (token, consumer) = try await identity.base.read { [store] tx in
            (try store.accessTokens.find(ID(id), in: tx), try store.consumers.find(request.consumerID, in: tx))
        }
        guard let token, let consumer, token.consumerID == consumer.id else { throw TokenService.refused("no such access token") }
        guard identity.world.now <= token.expiresAt else { throw CloudError(.unauthenticated, "Access token is expired.") }
        try await verify(request, consumer, token: try await open(token.sealedSecret, token.keyID, "access_token/\(token.id)"))
        try await identity.base.database.write { [store] tx in try Self.use(request, store, in: tx) }
        return token
    }

    // MARK: Parts

    private static let requestedProject = HTTPField.Name("Requested-Project-Id")!  // tidy: allow force-unwrap, a constant
    private static let permission = Form<[RoleReference]>.object(
        [], [.required("roles", \.self, RoleReference.list(at: "body/roles"))])
    private static let formType = "application/x-www-form-urlencoded"

    /// Reads a signed request. If the body is a form, its parameters are signed as well.
    private static func request(_ call: Call) async throws -> OAuthRequest {
        let isForm = call.headers[.contentType].map { $0.lowercased().hasPrefix(formType) } ?? false
        let form = isForm ? try Query(String(buffer: try await call.body.bytes())) : .none
        return try OAuthRequest(call, form: form)
    }

    private func verify(_ request: OAuthRequest, _ consumer: Consumer, token: [UInt8]) async throws {
        guard request.isTimely(at: identity.world.now) else {
            throw CloudError(.unauthenticated, "oauth_timestamp is too far from the present time.")
        }
        let secret = try await open(consumer.sealedSecret, consumer.keyID, "consumer/\(consumer.id)")
        guard request.isSigned(consumer: secret, token: token) else { throw CloudError(.unauthenticated, "Invalid signature.") }
    }

    /// Marks a request's nonce as used, so that the request works only once. It is called after the signature was
    /// checked, so strangers cannot fill the table.
    private static func use(_ request: OAuthRequest, _ store: OAuthStore, in tx: Transaction) throws {
        guard try store.remember(request, in: tx) else {
            throw CloudError(.unauthenticated, "The nonce was used before.", detail: "consumer \(request.consumerID)")
        }
    }

    private func newSecret() -> Secret { Secret(Hex.text(identity.world.random.bytes(16))) }

    private func seal(_ secret: Secret, _ context: String) throws -> (keyID: String, box: [UInt8]) {
        try identity.keyring.seal(Array(secret.reveal().utf8), .secret, context: context)
    }

    private func open(_ box: [UInt8], _ keyID: String, _ context: String) async throws -> [UInt8] {
        guard let secret = try await identity.keyring.open(box, keyID: keyID, .secret, context: context) else {
            throw CloudError.internalError("the secret of \(context) cannot be opened")
        }
        return secret
    }

    /// Returns a verifier: eight letters and digits without those that people confuse, because a user may have to type
    /// it.
    private func newVerifier() -> String {
        let letters = Array("abcdefghkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        var text = ""
        while text.count < 8 {
            // Bytes beyond the last whole round of letters are skipped. They would make the first letters more likely.
            for byte in identity.world.random.bytes(16) where Int(byte) < 256 / letters.count * letters.count && text.count < 8 {
                text.append(letters[Int(byte) % letters.count])
            }
        }
        return text
    }
}
