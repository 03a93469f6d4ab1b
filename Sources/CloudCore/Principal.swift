/// The caller of a request, with its scope and roles, as its verified token states them. It is passed as a value and is
/// never a global.
package struct Principal: StoredValue, Hashable {
    package static let storedName = "principal"

    /// The id and the name of a resource of Identity, as tokens and policies write them.
    package struct Named: Sendable, Hashable, Codable {
        package var id: String
        package var name: String

        package init(id: String, name: String) {
            self.id = id
            self.name = name
        }
    }

    /// The object on which the roles are held.
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
    /// The audit ids of the token: its own first, then that of the first token in its chain.
    package var auditIDs: [String]
    package var expiresAt: Timestamp
    /// The trust from which the token came: who trusts whom; nil for other tokens.
    package var trust: Trust?
    package var applicationCredentialID: ID<Kind.ApplicationCredential>?
    /// The requests that an application credential allows; nil if it allows everything that its roles allow.
    package var accessRules: [AccessRule]?
    /// The id of the OAuth1 access token from which the token came; nil for other tokens.
    package var accessTokenID: String?
    /// Whether the token was given for a request signed with an EC2 key. Such a signature proves less than a login of
    /// the user.
    package var isFromSignature = false

    /// A request that an application credential may make.
    package struct AccessRule: Sendable, Hashable, Codable {
        package var id: String
        /// The type of the service, such as `compute`.
        package var service: String
        package var method: String
        /// The path, such as `/v2.1/servers/{server_id}`, in the syntax of `PathPattern`.
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

    /// The owner of the share that the caller's requests take.
    package var share: Share { projectID.map { .project($0.text) } ?? .user(userID.text) }

    package var domainID: ID<Kind.Domain>? {
        if case .domain(let domain) = scope { ID(domain.id) } else { nil }
    }

    package var isSystemScoped: Bool { scope == .system }

    /// Whether the token gives only a part of its user's rights: it came from a trust, an application credential,
    /// OAuth1 or an EC2 key.
    package var isDelegated: Bool {
        trust != nil || applicationCredentialID != nil || accessTokenID != nil || isFromSignature
    }

    package func hasRole(_ name: String) -> Bool { roles.contains { $0.name.lowercased() == name.lowercased() } }
}
