import Access
import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The routes of `/v3/auth`: tokens, and the scopes and the catalog of the caller.
struct TokenRoutes: Sendable {
    let identity: IdentityContext
    let tokens: TokenService
    let authentication: AuthenticationService
    let scopes: ScopeService

    var all: [Route] {
        [
            .post("/v3/auth/tokens", issue),
            .get("/v3/auth/tokens", { try await validate($0, .validateToken) }),
            .head("/v3/auth/tokens", { try await validate($0, .checkToken) }),
            .delete("/v3/auth/tokens", revoke),
            .get("/v3/auth/catalog", catalog),
            .get("/v3/auth/projects", projects),
            .get("/v3/auth/domains", domains),
            .get("/v3/auth/system", system),
        ]
    }

    private func issue(_ call: Call) async throws -> Reply {
        let (text, verified) = try await authentication.authenticate(call.body.json(), call)
        return reply(text, verified, .created, call)
    }

    private func validate(_ call: Call, _ action: Action) async throws -> Reply {
        let caller = try await call.caller()
        let text = try subject(call)
        let grace = Self.isTrue(call.query["allow_expired"]) ? identity.settings.expiredTokenGrace : .zero
        let verified: TokenService.Verified
        do {
            verified = try await tokens.verified(text, grace: grace)
        } catch let error as CloudError where error.kind == .unauthenticated {
            throw CloudError(.notFound, "Failed to validate token", detail: error.detail)
        }
        let holder = verified.authorization.principal
        try identity.policy.require(action, caller, ["target.token.user_id": holder.userID.text])
        // A service that does not know access rules would treat a token with rules as one without any.
        if holder.accessRules != nil, call.headers[Self.accessRules] == nil {
            throw CloudError(.notFound, "Failed to validate token", detail: "the asking service knows no access rules")
        }
        return reply(text, verified, .ok, call)
    }

    private func revoke(_ call: Call) async throws -> Reply {
        let caller = try await call.caller()
        let text = try subject(call)
        guard let token = try await tokens.token(of: text), (try? await tokens.verified(text)) != nil else {
            throw CloudError(.notFound, "Failed to validate token")
        }
        try identity.policy.require(.revokeToken, caller, ["target.token.user_id": token.userID.text])
        try identity.countRevocation(by: caller.userID)
        try await tokens.revoke(token, withDescendants: call.query["cascade"].map(Self.isTrue) ?? true)
        return .noContent
    }

    private func subject(_ call: Call) throws -> String {
        guard let text = call.headers[.subjectToken], !text.isEmpty, text.utf8.count <= Limits.request.token.most else {
            throw CloudError.badRequest("The header X-Subject-Token is missing.")
        }
        return text
    }

    private func reply(
        _ text: String, _ verified: TokenService.Verified, _ status: HTTPResponse.Status, _ call: Call
    ) -> Reply {
        let bytes = call.query.has("nocatalog") ? verified.withoutCatalog : verified.withCatalog
        var headers: HTTPFields = [.vary: HTTPField.Name.authToken.rawName]
        headers[.subjectToken] = text
        return .json(status, headers: headers, bytes: bytes)
    }

    static func isTrue(_ text: String?) -> Bool { ["1", "true", "t", "yes", "y", "on"].contains(text?.lowercased()) }

    private static let accessRules = HTTPField.Name("OpenStack-Identity-Access-Rules")!  // tidy: allow force-unwrap, a constant

    // MARK: What can be had

    private func catalog(_ call: Call) async throws -> Reply {
        let caller = try await call.caller()
        let catalog = try await scopes.catalog(for: caller)
        return .json { writer in
            CatalogStore.write(catalog, into: &writer)
            writer.object("links") { $0.member("self", call.url) }
        }
    }

    private func projects(_ call: Call) async throws -> Reply {
        Views.list(try await scopes.projects(for: call.caller()), call, "/v3/projects")
    }

    private func domains(_ call: Call) async throws -> Reply {
        Views.list(try await scopes.domains(for: call.caller()), call, "/v3/domains")
    }

    private func system(_ call: Call) async throws -> Reply {
        let has = try await scopes.hasSystem(call.caller())
        return .json { writer in
            writer.array("system", of: has ? [true] : []) { writer, all in writer.object { $0.member("all", all) } }
            writer.object("links") { $0.member("self", call.url) }
        }
    }
}
