import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The routes of `/v3/OS-OAUTH1` and `/v3/users/{user_id}/OS-OAUTH1/access_tokens`.
struct OAuthRoutes: Sendable {
    let consumers: ConsumerService
    let oauth: OAuthService
    let accessTokens: AccessTokenService

    private static let path = "/v3/OS-OAUTH1"
    private static let tokens = "/v3/users/{user_id}/OS-OAUTH1/access_tokens"
    private static let token = "\(tokens)/{access_token_id}"

    var all: [Route] { consumerRoutes + flow + tokenRoutes }

    private var consumerRoutes: [Route] {
        let place = "\(Self.path)/consumers"
        let uniform = ResourceRoutes(consumers, at: place)
        return [
            uniform.list, uniform.show, uniform.update, uniform.delete,
            .post(place) { call in
                let caller = try await call.caller()
                let (made, secret) = try await consumers.issue(call.body.json(), by: caller)
                return .json(.created) { writer in
                    writer.object("consumer") { writer in
                        for consumer in made.rows { Views.object(consumer, call, place, &writer) }
                        writer.member("secret", secret.reveal())
                    }
                }
            },
        ]
    }

    /// The requests of the OAuth1 flow. The two `POST`s carry no token of Identity: the consumer's signature
    /// authenticates them.
    private var flow: [Route] {
        [
            .post("\(Self.path)/request_token") { call in Self.form(try await oauth.createRequestToken(call)) },
            .put("\(Self.path)/authorize/{request_token_id}") { call in
                let caller = try await call.caller()
                let verifier = try await oauth.authorize(call.id("request_token_id"), call.body.json(), by: caller)
                return .json { writer in writer.object("token") { $0.member("oauth_verifier", verifier) } }
            },
            .post("\(Self.path)/access_token") { call in Self.form(try await oauth.createAccessToken(call)) },
        ]
    }

    private var tokenRoutes: [Route] {
        [
            .get(Self.tokens) { call in
                let page = try await accessTokens.list(of: call.id("user_id"), call.query, by: call.caller())
                return try await .page(of: page.rows.count) {
                    .json { writer in
                        writer.array("access_tokens", of: page.rows) { writer, token in
                            writer.object { Self.write(token, call, &$0) }
                        }
                        Views.links(call, next: page.hasMore ? page.rows.last?.id.text : nil, &writer)
                    }
                }
            },
            .get(Self.token) { call in
                let found = try await accessTokens.get(call.id("access_token_id"), of: call.id("user_id"), by: call.caller())
                return .json { writer in writer.object("access_token") { Self.write(found, call, &$0) } }
            },
            .delete(Self.token) { call in
                try await accessTokens.delete(call.id("access_token_id"), of: call.id("user_id"), by: call.caller())
                return .noContent
            },
            .get("\(Self.token)/roles") { call in
                let caller = try await call.caller()
                let roles = try await accessTokens.roles(of: call.id("access_token_id"), call.id("user_id"), by: caller)
                return Views.list(roles, call, "/v3/roles")
            },
            .get("\(Self.token)/roles/{role_id}") { call in
                let caller = try await call.caller()
                let role = try await accessTokens.role(
                    call.id("role_id"), of: call.id("access_token_id"), call.id("user_id"), by: caller)
                return Views.one(role, .ok, call, "/v3/roles")
            },
        ]
    }

    // MARK: Views

    private static func form(_ issued: OAuthService.Issued) -> Reply {
        let parts = [
            "oauth_token=\(issued.id)", "oauth_token_secret=\(issued.secret.reveal())",
            "oauth_expires_at=\(issued.expiresAt.iso8601Microseconds)",
        ]
        return .text(.created, parts.joined(separator: "&"), type: "application/x-www-form-urlencoded")
    }

    private static func write(_ token: AccessToken, _ call: Call, _ writer: inout JSONWriter) {
        AccessToken.schema.view(token, into: &writer)
        writer.object("links") { writer in
            let place = "\(call.base)/v3/users/\(token.userID)/OS-OAUTH1/access_tokens/\(token.id)"
            writer.member("self", place)
            writer.member("roles", "\(place)/roles")
        }
    }
}
