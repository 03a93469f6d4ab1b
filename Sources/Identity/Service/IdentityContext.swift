import Access
import CloudCore
import Resources

/// The parts that all of Identity's services share.
struct IdentityContext: Sendable {
    let base: ServiceContext
    let settings: IdentitySettings
    let hasher: PasswordHasher
    let keyring: Keyring
    let logIns: FailedLogIns
    /// The tokens, trusts and passwords that each user has ended lately.
    let revoked: RecentCounts

    init(base: ServiceContext, settings: IdentitySettings, hasher: PasswordHasher, keyring: Keyring) {
        self.base = base
        self.settings = settings
        self.hasher = hasher
        self.keyring = keyring
        logIns = FailedLogIns(settings: settings.logIns, world: base.world)
        revoked = RecentCounts(window: Self.revocationWindow, capacity: Limits.logIn.counters.most)
    }

    private static let revocationWindow = Duration.seconds(3600)

    var world: World { base.world }
    var policy: Policy { base.policy }

    /// Returns the domain of a new resource whose body names none: the domain of the caller's scope. For a scope
    /// without a domain it is the default domain.
    func domain(for caller: Principal) throws -> ID<Kind.Domain> {
        switch caller.scope {
        case .domain(let domain): ID(domain.id)
        case .project(_, _, let domain): ID(domain.id)
        case .system, .unscoped: .standard
        }
    }
}

extension ID where Entity == Kind.Domain {
    /// The default domain, which exists from the start.
    static let standard = ID("default")

    /// The project that acts as this domain.
    var asProject: ID<Kind.Project> { ID<Kind.Project>(text) }
}

extension ID where Entity == Kind.Project {
    var asDomain: ID<Kind.Domain> { ID<Kind.Domain>(text) }
}

extension IdentityContext {
    /// Counts something that a user ends: a token, a trust, a password. Each stays a row for as long as a token may be
    /// shown.
    ///
    /// - Throws: `CloudError.tooManyRequests` if the user has ended too much within an hour.
    func countRevocation(by user: ID<Kind.User>) throws(CloudError) {
        let (events, left) = revoked.count(of: user, at: world.now)
        guard events < Limits.owner.revocations.most else {
            throw FailedLogIns.tooMany("The user has ended too many tokens", left)
        }
        revoked.add(user, at: world.now)
    }

    /// Throws if a user has too many of a kind of resource.
    ///
    /// - Throws: `CloudError.forbidden` if the user has as many as allowed.
    static func requireRoom(_ count: Int, most: Int, _ things: String) throws {
        guard count < most else {
            throw CloudError.forbidden("Unable to create additional \(things), maximum of \(most) already exceeded for user.")
        }
    }
}
