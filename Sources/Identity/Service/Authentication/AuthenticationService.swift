import CloudCore
import HTTPKit
import HTTPTypes
import Resources
import SQL

/// Authenticates users and issues tokens: `POST /v3/auth/tokens`.
struct AuthenticationService: Sendable {
    private let identity: IdentityContext
    private let tokens: TokenService
    private let receipts: ReceiptSealer
    private let methods: AuthenticationMethods
    private let directory = UserDirectory()
    private let trusts: TrustService

    static let receiptHeader = HTTPField.Name("OpenStack-Auth-Receipt")!  // tidy: allow force-unwrap, a constant

    init(identity: IdentityContext, tokens: TokenService, methods: AuthenticationMethods) {
        self.identity = identity
        self.tokens = tokens
        self.methods = methods
        receipts = ReceiptSealer(keyring: identity.keyring)
        trusts = TrustService(identity: identity)
    }

    func authenticate(_ body: JSONObject, _ call: Call) async throws -> (text: String, verified: TokenService.Verified) {
        let request = try AuthRequest(body)
        let proof = try await proof(request, call)
        try await checkFactors(proof)
        var token = Token(
            userID: proof.user.id, methods: proof.methods, scope: .unscoped, issuedAt: identity.world.now,
            expiresAt: end(proof), auditIDs: [tokens.newAuditID()])
        if let parent = proof.parent { token.auditIDs.append(parent.chainID) }
        token.applicationCredentialID = proof.applicationCredentialID
        token.accessTokenID = proof.accessTokenID
        do {
            return try await issue(token, request.scope, proof)
        } catch let refusal as AuthorizationStore.Refusal {
            throw TokenService.refused("\(refusal)")
        }
    }

    // MARK: Proofs

    /// Checks all methods that the body names. All must succeed, and for the same user.
    private func proof(_ request: AuthRequest, _ call: Call) async throws -> Proof {
        var result: Proof?
        let receipt = try await receipt(call)
        // A passcode counts only after another proof, so it is checked last.
        for name in request.methods.filter({ $0 != "totp" }) + request.methods.filter({ $0 == "totp" }) {
            guard AuthenticationMethods.names.contains(name) else {
                throw CloudError(.unauthenticated, "Attempted to authenticate with an unsupported method.")
            }
            guard let claim = request.claims[name] else {
                throw Shape.wrong("auth/identity", "'\(name)' is a required property")
            }
            let proof = try await methods.prove(claim, call, after: result?.user.id ?? receipt?.userID)
            if var known = result {
                guard known.user.id == proof.user.id else { throw TokenService.refused("methods of different users") }
                known.methods.formUnion(proof.methods)
                known.parent = known.parent ?? proof.parent
                known.scope = known.scope ?? proof.scope
                known.applicationCredentialID = known.applicationCredentialID ?? proof.applicationCredentialID
                known.accessTokenID = known.accessTokenID ?? proof.accessTokenID
                known.expiresAt = [known.expiresAt, proof.expiresAt].compactMap { $0 }.min()
                result = known
            } else {
                result = proof
            }
        }
        guard var proof = result else { throw TokenService.refused("no method") }
        // A token can carry only one delegation. The bounds of a second would be lost.
        guard proof.applicationCredentialID == nil || proof.accessTokenID == nil else {
            throw TokenService.refused("two delegations at once")
        }
        if let receipt {
            guard receipt.userID == proof.user.id else { throw TokenService.refused("another user's receipt") }
            proof.methods.formUnion(receipt.methods)
        }
        return proof
    }

    private func receipt(_ call: Call) async throws -> Receipt? {
        guard let text = call.headers[Self.receiptHeader] else { return nil }
        guard let receipt = try await receipts.receipt(of: text), identity.world.now < receipt.expiresAt else {
            throw TokenService.refused("a wrong or expired receipt")
        }
        return receipt
    }

    /// Checks the user's multi-factor rules. If more methods are needed, it throws an error with a receipt for those
    /// that succeeded.
    private func checkFactors(_ proof: Proof) async throws {
        let proved = Set(proof.methods.texts)
        // Unknown methods are removed from the rules. A rule with one could never be met, and would lock its user out.
        let rules = proof.user.factorRules.map { $0.intersection(AuthenticationMethods.names) }.filter { !$0.isEmpty }
        if rules.isEmpty || rules.contains(where: { $0.isSubset(of: proved) }) { return }
        let now = identity.world.now
        let receipt = Receipt(
            userID: proof.user.id, methods: proof.methods, issuedAt: now, expiresAt: now + identity.settings.receiptLifetime)
        let domain = try await identity.base.read { tx -> String in
            try ProjectStore().name(of: proof.user.domainID, in: tx) ?? ""
        }
        var error = CloudError(.unauthenticated, "Additional authentications steps required.")
        error.headers = [(Self.receiptHeader.rawName, try receipts.text(of: receipt))]
        error.body = [
            (
                "receipt",
                [
                    "methods": .array(proof.methods.texts.map { .string($0) }),
                    "user": [
                        "id": .string(proof.user.id.text), "name": .string(proof.user.name),
                        "domain": ["id": .string(proof.user.domainID.text), "name": .string(domain)],
                    ],
                    "expires_at": .string(receipt.expiresAt.iso8601Microseconds), "issued_at": .string(now.iso8601Microseconds),
                ]
            ),
            ("required_auth_methods", .array(rules.map { .array($0.sorted().map { .string($0) }) })),
        ]
        throw error
    }

    /// Returns the end of a token. A token never outlives the proof that it was made from.
    private func end(_ proof: Proof) -> Timestamp {
        let usual = identity.world.now + identity.settings.tokenLifetime
        return proof.expiresAt.map { min($0, usual) } ?? usual
    }

    // MARK: Scopes

    private func issue(
        _ token: Token, _ asked: AuthRequest.Scope, _ proof: Proof
    ) async throws -> (text: String, verified: TokenService.Verified) {
        var token = token
        if let scope = proof.scope {
            try checkBound(asked, proof)
            token.scope = scope
            return try await tokens.issue(token)
        }
        if proof.parent?.scope == .system {
            switch asked {
            case .project, .domain:
                throw CloudError.forbidden("Using a system-scoped token to create a project- or domain-scoped token is not allowed.")
            case .unsaid, .unscoped, .system, .trust: break
            }
        }
        switch asked {
        case .unscoped: break
        case .unsaid:
            if let project = proof.user.defaultProjectID {
                var scoped = token
                scoped.scope = .project(project)
                // If the default project gives no rights, the token is unscoped.
                if let issued = try? await tokens.issue(scoped) { return issued }
            }
        case .system: token.scope = .system
        case .trust(let id): return try await issue(token, trust: id)
        case .project(let reference):
            let id = try await identity.base.read { tx in try directory.project(reference, in: tx) }
            guard let id else { throw TokenService.refused("no such project") }
            token.scope = .project(id)
        case .domain(let reference):
            let id = try await identity.base.read { tx in try directory.domain(reference, in: tx) }
            guard let id else { throw TokenService.refused("no such domain") }
            token.scope = .domain(id)
        }
        return try await tokens.issue(token)
    }

    /// Checks that the body asks for no scope if the method fixes one. For OAuth1, a requested scope is ignored, as in
    /// the reference.
    private func checkBound(_ asked: AuthRequest.Scope, _ proof: Proof) throws {
        if case .unsaid = asked { return }
        guard proof.applicationCredentialID == nil else {
            throw CloudError(.unauthenticated, "Application credentials cannot request a scope.")
        }
    }

    /// Issues a token of a trust, for the trustee and the trust's project.
    ///
    /// A use of the trust is counted only after the token was issued, so a refused request uses nothing.
    private func issue(_ token: Token, trust id: ID<Kind.Trust>) async throws -> (text: String, verified: TokenService.Verified) {
        let trust: Trust
        do {
            trust = try await identity.base.read { [trusts] tx in try trusts.usable(id, in: tx) }
        } catch let error as CloudError where error.kind == .notFound {
            throw TokenService.refused("no such trust")
        }
        guard trust.trusteeID == token.userID else { throw CloudError.forbidden("User is not a trustee.") }
        var token = token
        token.trustID = id
        token.scope = trust.projectID.map { .project($0) } ?? .unscoped
        if let end = trust.expiresAt { token.expiresAt = min(token.expiresAt, end) }
        let issued: (text: String, verified: TokenService.Verified)
        do {
            issued = try await tokens.issue(token)
        } catch AuthorizationStore.Refusal.noRoles {
            throw CloudError.forbidden("Trustee has no delegated roles.")
        } catch AuthorizationStore.Refusal.trustorDisabled {
            throw CloudError.forbidden("Trustor is disabled.")
        }
        if trust.remainingUses != nil {
            // No token shows the number of uses left, so this does not mark Identity's topic, and cached tokens stay
            // valid.
            let isUsed = try await identity.base.database.write { tx in try TrustStore().use(id, in: tx) }
            guard isUsed else { throw CloudError.forbidden("No remaining uses for trust: \(id).") }
        }
        return issued
    }
}
