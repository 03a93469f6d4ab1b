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
        let given = try Self.given(body, Self.ec2)
        let request = SignedRequest(
            signature: given["signature"]?.string ?? "", verb: given["verb"]?.string ?? "", host: given["host"]?.string ?? "",
            path: given["path"]?.string ?? "", parameters: try Self.texts(given["params"], at: "credentials/params"),
            headers: try Self.texts(given["headers"], at: "credentials/headers"), bodyHash: given["body_hash"]?.string ?? "")
        return try await authenticate(given["access"]?.string, at: request.signedAt) { request.isSigned(with: $0) }
    }

    func authenticateS3(_ body: JSONObject, by caller: Principal) async throws -> Issued {
        try identity.policy.require(.s3tokensValidate, caller)
        let given = try Self.given(body, Self.s3)
        let signed = SignedString(token: given["token"]?.string ?? "", signature: given["signature"]?.string ?? "")
        return try await authenticate(given["access"]?.string, at: signed?.signedAt) { signed?.isSigned(with: $0) ?? false }
    }

    private static let ec2 = Shape.object(
        [
            .init("access", .string(1...255)), .init("signature", .string(0...1024)), .init("verb", .string(0...32)),
            .init("host", .string(0...1024)), .init("path", .text), .init("params", .openObject), .init("headers", .openObject),
            .init("body_hash", .string(0...1024)),
        ], open: true)

    private static let s3 = Shape.object(
        [.init("access", .string(1...255)), .init("signature", .string(0...1024)), .init("token", .text)], open: true)

    /// Clients have three names for it.
    private static func given(_ body: JSONObject, _ shape: Shape) throws -> JSONObject {
        guard !body.isEmpty else { throw CloudError.badRequest("The request must have a body.") }
        for name in ["credentials", "credential", "ec2Credentials"] {
            guard let given = body[name] else { continue }
            try shape.check(given, at: name)
            return given.object ?? [:]
        }
        return [:]
    }

    /// Headers and parameters as they were signed: as text.
    private static func texts(_ json: JSON?, at path: String) throws -> [String: String] {
        var texts: [String: String] = [:]
        for (name, value) in json?.object?.members ?? [] {
            switch value {
            case .string(let text): texts[name] = text
            case .integer(let number): texts[name] = String(number)
            default: throw Shape.wrong("\(path)/\(name)", "it must be a string")
            }
        }
        return texts
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
