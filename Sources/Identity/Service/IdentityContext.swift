import Access
import CloudCore
import Resources
import SQL

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

extension Transaction {
    /// - Throws: `CloudError.notFound` unless there is such a domain.
    func requireDomain(_ id: ID<Kind.Domain>) throws {
        let found: String? = try value("SELECT id FROM identity_project WHERE id = ? AND is_domain = 1", id)
        guard found != nil else { throw CloudError.notFound("domain", id.text) }
    }

    /// - Throws: `CloudError.forbidden` when a user has as many rows of a table as one may have.
    func requireRoom(_ table: String, of user: ID<Kind.User>, most: Int, _ things: String) throws {
        let count: Int = try value("SELECT count(*) FROM \(table) WHERE user_id = ?", user) ?? 0
        guard count < most else {
            throw CloudError.forbidden("Unable to create additional \(things), maximum of \(most) already exceeded for user.")
        }
    }
}
