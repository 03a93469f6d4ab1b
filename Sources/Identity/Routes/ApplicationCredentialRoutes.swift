import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The routes of `/v3/users/{user_id}/application_credentials` and `/v3/users/{user_id}/access_rules`.
struct ApplicationCredentialRoutes: Sendable {
    let credentials: ApplicationCredentialService
    let rules: AccessRuleService

    private static let path = "/v3/users/{user_id}/application_credentials"
    private static let member = "\(path)/{application_credential_id}"
    private static let rulesPath = "/v3/users/{user_id}/access_rules"
    private static let rule = "\(rulesPath)/{access_rule_id}"

    var all: [Route] {
        [
            .get(Self.path) { call in
                let page = try await credentials.list(of: call.id("user_id"), call.query, by: call.caller())
                return try await .page(of: page.rows.count) {
                    .json { writer in
                        writer.array("application_credentials", of: page.rows) { writer, whole in
                            writer.object { Self.write(whole, call, &$0) }
                        }
                        Views.links(call, next: page.hasMore ? page.rows.last?.credential.id.text : nil, &writer)
                        if page.hasMore { writer.member("truncated", true) }
                    }
                }
            },
            .post(Self.path) { call in
                let caller = try await call.caller()
                let (made, secret) = try await credentials.create(call.body.json(), for: call.id("user_id"), by: caller)
                return .json(.created) { writer in
                    writer.object("application_credential") { writer in
                        Self.write(made, call, &writer)
                        writer.member("secret", secret.reveal())
                    }
                }
            },
            .get(Self.member) { call in
                let caller = try await call.caller()
                let found = try await credentials.get(call.id("application_credential_id"), of: call.id("user_id"), by: caller)
                return .json { writer in writer.object("application_credential") { Self.write(found, call, &$0) } }
            },
            .delete(Self.member) { call in
                try await credentials.delete(call.id("application_credential_id"), of: call.id("user_id"), by: call.caller())
                return .noContent
            },
            .get(Self.rulesPath) { call in
                let page = try await rules.list(of: call.id("user_id"), call.query, by: call.caller())
                return Views.list(page.rows, hasMore: page.hasMore, call, Self.place(call, "access_rules"))
            },
            .get(Self.rule) { call in
                let found = try await rules.get(call.id("access_rule_id"), of: call.id("user_id"), by: call.caller())
                return Views.one(found, .ok, call, Self.place(call, "access_rules"))
            },
            .delete(Self.rule) { call in
                try await rules.delete(call.id("access_rule_id"), of: call.id("user_id"), by: call.caller())
                return .noContent
            },
        ]
    }

    private static func place(_ call: Call, _ collection: String) -> String {
        "/v3/users/\(Percent.encode(call[parameter: "user_id"]))/\(collection)"
    }

    private static func write(_ whole: ApplicationCredentialStore.Whole, _ call: Call, _ writer: inout JSONWriter) {
        Views.object(whole.credential, call, place(call, "application_credentials"), &writer)
        writer.array("roles", of: whole.roles) { writer, role in writer.object { Role.schema.view(role, into: &$0) } }
        // A credential without rules may call everything, and its view has no such member.
        if !whole.rules.isEmpty {
            writer.array("access_rules", of: whole.rules) { writer, rule in
                writer.object { AccessRule.schema.view(rule, into: &$0) }
            }
        }
    }
}
