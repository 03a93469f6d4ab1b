import CloudCore
import HTTPKit
import HTTPTypes
import Resources
import SQL

/// Turns proofs into tokens: `POST /v3/auth/tokens`.
struct AuthenticationService: Sendable {
    private let identity: IdentityContext
    private let tokens: TokenService
    private let receipts: ReceiptSealer
    private let methods: [String: any AuthenticationMethod]
    private let directory = UserDirectory()
    private let authorizations = AuthorizationStore()

    static let receiptHeader = HTTPField.Name("OpenStack-Auth-Receipt")!  // tidy: allow force-unwrap, a constant

    init(identity: IdentityContext, tokens: TokenService, methods: [String: any AuthenticationMethod]) {
        self.identity = identity
        self.tokens = tokens
        self.methods = methods
        receipts = ReceiptSealer(keyring: identity.keyring)
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

    /// All methods that the body names must succeed, for one user.
    private func proof(_ request: AuthRequest, _ call: Call) async throws -> Proof {
        var result: Proof?
        for name in request.methods {
            guard let method = methods[name] else {
                throw CloudError(.unauthenticated, "Attempted to authenticate with an unsupported method.")
            }
            guard let parameters = request.parameters[name] else {
                throw Shape.wrong("auth/identity", "'\(name)' is a required property")
            }
            let proof = try await method.prove(parameters, call)
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
        if let text = call.headers[Self.receiptHeader] {
            guard let receipt = try await receipts.receipt(of: text), receipt.userID == proof.user.id,
                identity.world.now < receipt.expiresAt
            else { throw TokenService.refused("a wrong or expired receipt") }
            proof.methods.formUnion(receipt.methods)
        }
        return proof
    }

    /// Where a user's rules ask for more than was proved, the answer is a receipt for what was.
    private func checkFactors(_ proof: Proof) async throws {
        let proved = Set(proof.methods.texts)
        // A rule that names a method which does not exist could never be kept, and would lock its user out.
        let rules = proof.user.factorRules.map { $0.filter { methods[$0] != nil } }.filter { !$0.isEmpty }
        if rules.isEmpty || rules.contains(where: { $0.isSubset(of: proved) }) { return }
        let now = identity.world.now
        let receipt = Receipt(
            userID: proof.user.id, methods: proof.methods, issuedAt: now, expiresAt: now + identity.settings.receiptLifetime)
        let domain = try await identity.base.read { tx -> String in
            try tx.value("SELECT name FROM identity_project WHERE id = ?", proof.user.domainID) ?? ""
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

    /// A token never outlives what it came of.
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
        switch asked {
        case .unscoped: break
        case .unsaid:
            if let project = proof.user.defaultProjectID {
                var scoped = token
                scoped.scope = .project(project)
                // A default project that gives nothing is as good as none.
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

    /// A method that brings its scope leaves nothing to be asked for, but the same scope when a token of it is renewed.
    private func checkBound(_ asked: AuthRequest.Scope, _ proof: Proof) throws {
        switch asked {
        case .unsaid: return
        case .project(let reference) where proof.parent != nil && reference.id.map { Token.Scope.project(ID($0)) } == proof.scope: return
        default: throw CloudError(.unauthenticated, "Application credentials cannot request a scope.")
        }
    }

    /// A trust's token: for the trustee, on the trust's project, while it may be used.
    private func issue(_ token: Token, trust id: ID<Kind.Trust>) async throws -> (text: String, verified: TokenService.Verified) {
        let now = identity.world.now
        let trusts = TrustUse()
        let terms = try await identity.base.write { tx in try trusts.take(id, by: token.userID, at: now, in: tx) }
        var token = token
        token.trustID = id
        token.scope = terms.projectID.map { .project($0) } ?? .unscoped
        if let end = terms.expiresAt { token.expiresAt = min(token.expiresAt, end) }
        do {
            return try await tokens.issue(token)
        } catch let refusal as AuthorizationStore.Refusal {
            throw CloudError(.forbidden, "The trust gives no access any more.", detail: "\(refusal)")
        }
    }
}
