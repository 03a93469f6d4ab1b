package import Access
package import CloudCore
package import Crypto
package import HTTPKit
package import Logging
import Resources
package import SQL
package import ServiceKit
package import ServiceLifecycle

/// Identity with everything wired: its routes, its verifier of tokens and its background work.
package struct IdentityAssembly: ServiceAssembly {
    let identity: IdentityContext
    private let tokens: TokenService
    private let log: Logger

    /// - Parameters:
    ///   - masterKey: the key that seals the keys in the database.
    ///   - policyOverrides: the rules of the operator's policy file, by name.
    ///   - cheapHashes: makes password hashing almost free, for tests.
    /// - Throws: `PolicyError` for an override with the name of no rule.
    package init(
        database: Database, world: World, settings: IdentitySettings, masterKey: SymmetricKey, policyOverrides: [String: String],
        cheapHashes: Bool = false, log: Logger
    ) throws {
        let policy = try Policy(defaults: IdentityPolicy.defaults, overrides: policyOverrides)
        let base = ServiceContext(
            database: database, policy: policy, world: world, topic: Topic("identity"), prefix: "identity")
        let keyring = Keyring(database: database, world: world, master: masterKey)
        identity = IdentityContext(
            base: base, settings: settings,
            hasher: PasswordHasher(cost: cheapHashes ? .negligible : .standard, random: world.random), keyring: keyring)
        tokens = TokenService(context: base, sealer: TokenSealer(keyring: keyring))
        self.log = log
    }

    package static let schema = Schema.identity
    package static let catalogEntry = CatalogEntry(type: "identity", name: "keystone", path: "/identity")
    package static let policyRules = IdentityPolicy.defaults

    package var verifier: any TokenVerifier { tokens }

    package var service: APIService {
        let users = UserService(identity: identity)
        let methods = AuthenticationMethods(identity: identity, users: users, tokens: tokens)
        let authentication = AuthenticationService(identity: identity, tokens: tokens, methods: methods)
        let scopes = ScopeService(identity: identity)
        return APIService(
            name: "identity", prefixes: ["/identity", ""], envelope: IdentityEnvelope(),
            bodyLimit: Limits.request.shortBody.most,
            routes: DiscoveryRoutes.all
                + TokenRoutes(identity: identity, tokens: tokens, authentication: authentication, scopes: scopes).all
                + UserRoutes(users: users).all
                + GroupRoutes(groups: GroupService(identity: identity)).all
                + ProjectRoutes(projects: ProjectService(identity: identity)).all
                + ResourceRoutes(DomainService(identity: identity), at: "/v3/domains").all
                + RoleRoutes(roles: RoleService(identity: identity)).all
                + GrantRoutes(grants: GrantService(identity: identity)).all
                + RoleAssignmentRoutes(assignments: RoleAssignmentService(identity: identity)).all
                + RegionRoutes(regions: RegionService(identity: identity)).all
                + ResourceRoutes(CatalogServiceService(identity: identity), at: "/v3/services").all
                + ResourceRoutes(EndpointService(identity: identity), at: "/v3/endpoints").all
                + TrustRoutes(trusts: TrustService(identity: identity)).all
                + ResourceRoutes(CredentialService(identity: identity), at: "/v3/credentials").all
                + EC2CredentialRoutes(credentials: EC2CredentialService(identity: identity)).all
                + SignatureRoutes(signatures: SignatureService(identity: identity, tokens: tokens)).all
                + LimitRoutes(identity: identity).all
                + StoredPolicyRoutes(policies: StoredPolicyService(identity: identity)).all
                + EndpointFilterRoutes(identity: identity).all
                + DomainConfigurationRoutes(configurations: DomainConfigurationService(identity: identity)).all
                + RevocationRoutes(revocations: RevocationService(identity: identity)).all
                + ApplicationCredentialRoutes(
                    credentials: ApplicationCredentialService(identity: identity), rules: AccessRuleService(identity: identity)
                ).all
                + OAuthRoutes(
                    consumers: ConsumerService(identity: identity), oauth: OAuthService(identity: identity),
                    accessTokens: AccessTokenService(identity: identity)
                ).all)
    }

    /// Loads the keys, and creates them if there are none. It runs after the migrations and before the first request.
    package func prepare() async throws { try await identity.keyring.prepare() }

    /// Creates a new key that seals tokens from now on. Older keys still open the tokens that they sealed.
    package func rotateKeys() async throws { try await identity.keyring.rotate(.token) }

    /// Returns the public facts about each key.
    package func keys() async throws -> [KeyFacts] { try await identity.base.read { tx in try KeyStore().list(in: tx) } }

    /// Tells whether there is a project with this id. Other services call it for ids in their requests.
    package func hasProject(_ id: ID<Kind.Project>) async throws -> Bool {
        try await identity.base.read { tx in
            guard let project = try ResourceStore<Project>().find(ID(id.text), in: tx) else { return false }
            return !project.isDomain
        }
    }

    /// The work that runs beside the requests.
    package var backgroundServices: [any Service] { [Housekeeping(identity: identity, log: log)] }
}
