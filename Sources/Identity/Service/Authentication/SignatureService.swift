import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// Issues a token to a service for the user who signed a request with an EC2 key.
///
/// Only services may ask. Signatures appear in logs and in shared URLs, and must not be worth a token to anybody who
/// finds one (CVE-2025-65073). The token's method is `ec2`, and it gives only the rights of the key.
struct SignatureService: Sendable {
    let identity: IdentityContext
    let tokens: TokenService
    private let credentials: CredentialService
    private let store = ResourceStore<Credential>()
    private let restrictions = RestrictionStore()

    /// The most that the moment of signing may differ from now, in either direction (CVE-2020-12692).
    private static let lifetime = Duration.seconds(900)

    init(identity: IdentityContext, tokens: TokenService) {
        self.identity = identity
        self.tokens = tokens
        credentials = CredentialService(identity: identity)
    }

    typealias Issued = (text: String, verified: TokenService.Verified)

    // MARK: EC2 and S3

    func authenticateEC2(_ body: JSONObject, by caller: Principal) async throws -> Issued {
        try identity.policy.require(.ec2tokensValidate, caller)
        let given = try Self.given(body, EC2Body.form) ?? EC2Body()
        return try await authenticate(given.access, at: given.request.signedAt) { given.request.isSigned(with: $0) }
    }

    func authenticateS3(_ body: JSONObject, by caller: Principal) async throws -> Issued {
        try identity.policy.require(.s3tokensValidate, caller)
        let given = try Self.given(body, S3Body.form) ?? S3Body()
        let signed = SignedString(token: given.token, signature: given.signature)
        return try await authenticate(given.access, at: signed?.signedAt) { signed?.isSigned(with: $0) ?? false }
    }

    private struct EC2Body: Sendable {
        var access: String?
        var request = SignedRequest(signature: "", verb: "", host: "", path: "", parameters: [:], headers: [:], bodyHash: "")

        static let form = Form.object(
            EC2Body(),
            [
                .optional("access", \.access, .string(1...255)), .optional("signature", \.request.signature, .string(0...1024)),
                .optional("verb", \.request.verb, .string(0...32)), .optional("host", \.request.host, .string(0...1024)),
                .optional("path", \.request.path, .string(0...65_535)),
                .optional("params", \.request.parameters, SignatureService.texts("credentials/params")),
                .optional("headers", \.request.headers, SignatureService.texts("credentials/headers")),
                .optional("body_hash", \.request.bodyHash, .string(0...1024)),
            ], open: true)
    }

    private struct S3Body: Sendable {
        var access: String?
        var signature = ""
        var token = ""

        static let form = Form.object(
            S3Body(),
            [
                .optional("access", \.access, .string(1...255)), .optional("signature", \.signature, .string(0...1024)),
                .optional("token", \.token, .string(0...65_535)),
            ], open: true)
    }

    /// Reads the claim of a body. Clients use three names for it.
    ///
    /// - Returns: nil if the body has none of them.
    private static func given<Value>(_ body: JSONObject, _ form: Form<Value>) throws -> Value? {
        guard !body.isEmpty else { throw CloudError.badRequest("The request must have a body.") }
        let name = ["credentials", "credential", "ec2Credentials"].first { body[$0] != nil }
        return try name.map { try form.parse(body[$0] ?? .null, .house($0)) }
    }

    /// Returns the form of headers and parameters. They are read as text, because they were signed as text.
    private static func texts(_ path: String) -> Form<[String: String]> {
        Form(.openObject) { json, _ in
            try (json.object?.members ?? []).reduce(into: [:]) { texts, member in
                switch member.value {
                case .string(let text): texts[member.key] = text
                case .integer(let number): texts[member.key] = String(number)
                default: throw Shape.wrong("\(path)/\(member.key)", "it must be a string")
                }
            }
        }
    }

    // MARK: The token

    private func authenticate(
        _ access: String?, at signedAt: Timestamp?, _ isSigned: @Sendable (Secret) -> Bool
    ) async throws -> Issued {
        guard let access else { throw CloudError(.unauthenticated, "EC2 signature not supplied.") }
        let found = try await identity.base.read { tx in try store.find(EC2Key.id(of: access), in: tx) }
        guard let found, found.type == Credential.ec2, let project = found.projectID else {
            throw CloudError(.notFound, "EC2 access key not found.")
        }
        let key = try EC2Key(blob: try await credentials.open(found).blob)
        guard !key.secret.isEmpty, isSigned(key.secret) else { throw CloudError(.unauthenticated, "Invalid EC2 signature.") }
        let now = identity.world.now
        guard let signedAt, now <= signedAt + Self.lifetime, signedAt <= now + Self.lifetime else {
            throw CloudError(.unauthenticated, "The EC2 signature is not of now.", detail: "no timestamp, or out of bounds")
        }
        let token = Token(
            userID: found.userID, methods: .ec2, scope: .project(project), issuedAt: now,
            expiresAt: now + identity.settings.tokenLifetime, auditIDs: [tokens.newAuditID()])
        do {
            // The transaction counts a use of a trust, and writes nothing else.
            let restricted =
                key.restriction.count == 0
                ? token
                : try await identity.base.write { tx in try restrictions.restrict(token, to: key.restriction, on: project, in: tx) }
            return try await tokens.issue(restricted)
        } catch let refusal as AuthorizationStore.Refusal {
            throw TokenService.refused("\(refusal)")
        }
    }
}
