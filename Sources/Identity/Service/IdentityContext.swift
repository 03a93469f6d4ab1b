import Access
import CloudCore
import Resources

/// What Identity's services share.
struct IdentityContext: Sendable {
    let base: ServiceContext
    let settings: IdentitySettings
    let hasher: PasswordHasher
    let keyring: Keyring

    var world: World { base.world }
    var policy: Policy { base.policy }

    /// The domain that a caller's things are in when the body does not say: the scope's.
    ///
    /// - Throws: `CloudError.badRequest` for a scope that has none.
    func domain(for caller: Principal) throws -> ID<Kind.Domain> {
        switch caller.scope {
        case .domain(let domain): ID(domain.id)
        case .project(_, _, let domain): ID(domain.id)
        case .system, .unscoped: .standard
        }
    }
}

extension ID where Entity == Kind.Domain {
    /// The domain that is there from the start.
    static let standard = ID("default")

    /// The project that acts as this domain.
    var asProject: ID<Kind.Project> { ID<Kind.Project>(text) }
}

extension ID where Entity == Kind.Project {
    var asDomain: ID<Kind.Domain> { ID<Kind.Domain>(text) }
}

extension IdentityContext {
    /// Refuses one more of what a user has so many of already.
    ///
    /// - Throws: `CloudError.forbidden` when a user has as many as one may have.
    static func requireRoom(_ count: Int, most: Int, _ things: String) throws {
        guard count < most else {
            throw CloudError.forbidden("Unable to create additional \(things), maximum of \(most) already exceeded for user.")
        }
    }
}
