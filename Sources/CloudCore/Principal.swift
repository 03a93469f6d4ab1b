/// Who calls, on what scope and with which roles: what a verified token says. A value that is handed on, never a global.
package struct Principal: StoredValue, Hashable {
    package static let storedName = "principal"

    /// A name and an id of one of Identity's things, as tokens and policies speak of them.
    package struct Named: Sendable, Hashable, Codable {
        package var id: String
        package var name: String

        package init(id: String, name: String) {
            self.id = id
            self.name = name
        }
    }

    /// What the roles are held on.
    package enum Scope: Sendable, Hashable, Codable {
        case unscoped
        case project(id: ID<Kind.Project>, name: String, domain: Named)
        case domain(Named)
        case system
    }

    package var userID: ID<Kind.User>
    package var userName: String
    package var userDomain: Named
    package var scope: Scope
    package var roles: [Named]
    /// The ids of the token's own audit chain: its own first, then its first ancestor's.
    package var auditIDs: [String]
    package var expiresAt: Timestamp
    /// Set when the token came of a trust: who trusts whom.
    package var trust: Trust?
    package var applicationCredentialID: ID<Kind.ApplicationCredential>?
    /// What an application credential may be used for; nil when for everything its roles allow.
    package var accessRules: [AccessRule]?
    /// Set when the token came of an OAuth1 access token.
    package var accessTokenID: String?
    /// Whether the token was given for a request signed with an EC2 key, which proves less than its user's own presence.
    package var isFromSignature = false

    /// One request that an application credential may make.
    package struct AccessRule: Sendable, Hashable, Codable {
        package var id: String
        /// The service's type, as `compute`.
        package var service: String
        package var method: String
        /// `/v2.1/servers/{server_id}`, as `PathPattern` reads it.
        package var path: String

        package init(id: String, service: String, method: String, path: String) {
            self.id = id
            self.service = service
            self.method = method
            self.path = path
        }

        package func allows(service: String, method: String, path: String) -> Bool {
            self.service == service && self.method == method && PathPattern(self.path).matches(path)
        }
    }

    package struct Trust: Sendable, Hashable, Codable {
        package var id: ID<Kind.Trust>
        package var trustorID: ID<Kind.User>
        package var trusteeID: ID<Kind.User>

        package init(id: ID<Kind.Trust>, trustorID: ID<Kind.User>, trusteeID: ID<Kind.User>) {
            self.id = id
            self.trustorID = trustorID
            self.trusteeID = trusteeID
        }
    }

    package init(
        userID: ID<Kind.User>, userName: String, userDomain: Named, scope: Scope, roles: [Named], auditIDs: [String] = [],
        expiresAt: Timestamp
    ) {
        self.userID = userID
        self.userName = userName
        self.userDomain = userDomain
        self.scope = scope
        self.roles = roles
        self.auditIDs = auditIDs
        self.expiresAt = expiresAt
    }

    package var projectID: ID<Kind.Project>? {
        if case .project(let id, _, _) = scope { id } else { nil }
    }

    package var domainID: ID<Kind.Domain>? {
        if case .domain(let domain) = scope { ID(domain.id) } else { nil }
    }

    package var isSystemScoped: Bool { scope == .system }

    /// Whether the token can do only part of what its user may: a trust, an application credential, OAuth1, an EC2 key.
    package var isDelegated: Bool {
        trust != nil || applicationCredentialID != nil || accessTokenID != nil || isFromSignature
    }

    package func hasRole(_ name: String) -> Bool { roles.contains { $0.name.lowercased() == name.lowercased() } }
}
