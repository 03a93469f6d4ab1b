import CloudCore

/// The rights that a token gives at this moment, with everything that views of the token show.
struct Authorization: Sendable {
    var token: Token
    var principal: Principal
    /// The end of the password of the user whom the token shows. That is the trustor if a trust impersonates.
    var passwordExpiresAt: Timestamp?
    /// Whether the project in scope acts as a domain.
    var isDomainProject = false
    var trust: Trust?
    var applicationCredential: ApplicationCredential?
    var accessToken: Delegation?
    var catalog: [CatalogStore.Entry] = []

    struct Trust: Sendable {
        var id: ID<Kind.Trust>
        var trustorID: ID<Kind.User>
        var trusteeID: ID<Kind.User>
        var impersonates: Bool
    }

    struct ApplicationCredential: Sendable {
        var id: ID<Kind.ApplicationCredential>
        var name: String
        var isRestricted: Bool
    }

    struct Delegation: Sendable {
        var id: ID<AccessToken>
        var consumerID: String
    }
}

extension Authorization {
    /// Writes the API's `token` member without its catalog.
    func write(into writer: inout JSONWriter) {
        writer.object("token") { writer in
            writer.array("methods", of: token.methods.texts) { $0.string($1) }
            writer.object("user") { writer in
                writer.object("domain") { Self.named(principal.userDomain, &$0) }
                writer.member("id", principal.userID)
                writer.member("name", principal.userName)
                writer.member("password_expires_at", passwordExpiresAt?.iso8601Microseconds)
            }
            writer.array("audit_ids", of: token.auditIDs) { $0.string($1) }
            writer.member("expires_at", token.expiresAt.iso8601Microseconds)
            writer.member("issued_at", token.issuedAt.iso8601Microseconds)
            writeScope(into: &writer)
            if let trust {
                writer.object("OS-TRUST:trust") { writer in
                    writer.member("id", trust.id)
                    writer.object("trustor_user") { $0.member("id", trust.trustorID) }
                    writer.object("trustee_user") { $0.member("id", trust.trusteeID) }
                    writer.member("impersonation", trust.impersonates)
                }
            }
            if let credential = applicationCredential {
                writer.object("application_credential") { writer in
                    writer.member("id", credential.id)
                    writer.member("name", credential.name)
                    writer.member("restricted", credential.isRestricted)
                    if let rules = principal.accessRules { Self.write(rules, &writer) }
                }
            }
            if let accessToken {
                writer.object("OS-OAUTH1") { writer in
                    writer.member("access_token_id", accessToken.id)
                    writer.member("consumer_id", accessToken.consumerID)
                }
            }
        }
    }

    private func writeScope(into writer: inout JSONWriter) {
        switch principal.scope {
        case .unscoped: return
        case .project(let id, let name, let domain):
            writer.object("project") { writer in
                writer.object("domain") { Self.named(domain, &$0) }
                writer.member("id", id)
                writer.member("name", name)
            }
            if trust == nil { writer.member("is_domain", isDomainProject) }
        case .domain(let domain): writer.object("domain") { Self.named(domain, &$0) }
        case .system: writer.object("system") { $0.member("all", true) }
        }
        writer.array("roles", of: principal.roles) { writer, role in writer.object { Self.named(role, &$0) } }
    }

    private static func named(_ named: Principal.Named, _ writer: inout JSONWriter) {
        writer.member("id", named.id)
        writer.member("name", named.name)
    }

    private static func write(_ rules: [Principal.AccessRule], _ writer: inout JSONWriter) {
        writer.array("access_rules", of: rules) { writer, rule in
            writer.object { writer in
                writer.member("id", rule.id)
                writer.member("service", rule.service)
                writer.member("path", rule.path)
                writer.member("method", rule.method)
            }
        }
    }
}

extension CatalogStore {
    /// Writes the `catalog` member of tokens and of `/auth/catalog`.
    static func write(_ catalog: [Entry], into writer: inout JSONWriter) {
        writer.array("catalog", of: catalog) { writer, entry in
            writer.object { writer in
                writer.array("endpoints", of: entry.endpoints) { writer, place in
                    writer.object { writer in
                        writer.member("id", place.id)
                        writer.member("interface", place.interface)
                        writer.member("region_id", place.regionID)
                        writer.member("url", place.url)
                        writer.member("region", place.regionID)
                    }
                }
                writer.member("id", entry.id)
                writer.member("type", entry.type)
                writer.member("name", entry.name)
            }
        }
    }
}
