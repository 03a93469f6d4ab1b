import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// Gives a service the token of whoever signed a request to it with an EC2 key.
///
/// Only services may ask: a signature lies in logs and in shared URLs, and must not be worth a token to whoever finds it
/// (CVE-2025-65073). The token is marked as come of a signature, and gives what the key gives.
struct SignatureService: Sendable {
    let identity: IdentityContext
    let tokens: TokenService
    private let credentials: CredentialService
    private let store = ResourceStore<Credential>()
    private let restrictions = RestrictionStore()

    /// How far the moment of signing may be from now, in either direction (CVE-2020-12692).
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

    /// Clients have three names for it.
    private static func given<Value>(_ body: JSONObject, _ form: Form<Value>) throws -> Value? {
        guard !body.isEmpty else { throw CloudError.badRequest("The request must have a body.") }
        let name = ["credentials", "credential", "ec2Credentials"].first { body[$0] != nil }
        return try name.map { try form.parse(body[$0] ?? .null, .house($0)) }
    }

    /// Headers and parameters as they were signed: as text.
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
            // A trust's use is counted, and nothing else is written.
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
