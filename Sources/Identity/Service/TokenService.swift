import Access
package import CloudCore
import Resources
import SQL
import Synchronization

/// Issues, verifies and revokes tokens.
///
/// A token is verified against the present state of the database. Its content and its rights are cached in memory for
/// as long as the database reports no commit of Identity since. That check compares two numbers on SQLite, and takes
/// one small query on PostgreSQL. So every loss of rights takes effect with its commit, and a token in constant use
/// costs almost nothing.
///
/// Revocations have a counter of their own. After one, the next use of each other token costs one statement that looks
/// for revocation events of that token. The rest of its cached state stays valid.
package final class TokenService: TokenVerifier, Sendable {
    /// A verified token, with its view already written as JSON. The catalog stands apart, because the tokens of a project
    /// share it in memory.
    struct Verified: Sendable {
        /// The rights of the token, without its catalog.
        let authorization: Authorization
        var moment: Moment
        /// The API's view of the token without its catalog: an object with the member `token`.
        let withoutCatalog: [UInt8]
        /// The last member of `token`, and the brace that closes it; nil for a token without a scope.
        fileprivate(set) var catalog: [UInt8]?

        /// The API's view of the token.
        var withCatalog: [UInt8] {
            guard let catalog else { return withoutCatalog }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(withoutCatalog.count + catalog.count)
            bytes += withoutCatalog.dropLast(2)
            bytes.append(UInt8(ascii: ","))
            bytes += catalog
            bytes.append(UInt8(ascii: "}"))
            return bytes
        }
    }

    /// The revisions of Identity and of its revocations at the time of a read.
    struct Moment: Sendable, Equatable {
        var identity: Revision
        var revocations: Revision
    }

    private struct Cache {
        var young: [String: Verified] = [:]
        var old: [String: Verified] = [:]
        /// The catalog of each project's last token, by the project's id; empty for a scope without a project.
        var catalogs: [String: [UInt8]] = [:]
    }

    private let context: ServiceContext
    private let sealer: TokenSealer
    private let authorizations = AuthorizationStore()
    private let revocations = RevocationStore()
    private let cache = Mutex(Cache())

    /// The most tokens in each of the cache's two generations. A token takes about 3 KiB.
    private static let mostCached = 1000  // tidy: allow bound, a cache's

    init(context: ServiceContext, sealer: TokenSealer) {
        self.context = context
        self.sealer = sealer
    }

    // MARK: Verifying

    package func principal(of text: String) async throws -> Principal { try await verified(text).authorization.principal }

    /// Verifies a token.
    ///
    /// - Parameter grace: the time after a token's end during which it is still shown, for services that finish long
    /// work with it.
    /// - Throws: `CloudError.unauthenticated`, whatever is wrong with the token.
    func verified(_ text: String, grace: Duration = .zero) async throws -> Verified {
        let moment = try await moment()
        if let cached = cached(text), let current = try await current(cached, at: moment, text) {
            try checkTime(current.authorization.token, grace)
            return current
        }
        guard let token = try await sealer.token(of: text) else { throw Self.refused("not a token of this cloud") }
        try checkTime(token, grace)
        let authorization = try await read(token)
        let verified = Self.verified(authorization, moment)
        keep(verified, for: text)
        return verified
    }

    private func moment() async throws -> Moment {
        let found = try await context.database.revisions(of: [context.topic, RevocationStore.topic])
        return Moment(identity: found[0], revocations: found[1])
    }

    /// Returns the cached verification if it is still valid; nil if the token must be verified again.
    ///
    /// - Throws: `CloudError.unauthenticated` if the token was revoked.
    private func current(_ cached: Verified, at moment: Moment, _ text: String) async throws -> Verified? {
        guard cached.moment != moment else { return cached }
        let token = cached.authorization.token
        // The rights of a trust also depend on the tokens of others.
        guard cached.moment.identity == moment.identity, token.trustID == nil else { return nil }
        let events = try await context.read { [revocations] tx in try revocations.concerning(token, in: tx) }
        guard !events.contains(where: { $0.covers(token) }) else { throw Self.refused("\(AuthorizationStore.Refusal.revoked)") }
        var cached = cached
        cached.moment = moment
        keep(cached, for: text)
        return cached
    }

    private func read(_ token: Token) async throws -> Authorization {
        do {
            return try await context.read { [authorizations] tx in try authorizations.authorization(of: token, in: tx) }
        } catch let refusal as AuthorizationStore.Refusal {
            throw Self.refused("\(refusal)")
        }
    }

    private func checkTime(_ token: Token, _ grace: Duration) throws {
        guard context.world.now < token.expiresAt + grace else { throw Self.refused("expired") }
    }

    static func refused(_ detail: String) -> CloudError {
        CloudError(.unauthenticated, "The request you have made requires authentication.", detail: detail)
    }

    private static func verified(_ authorization: Authorization, _ moment: Moment) -> Verified {
        var view = JSONWriter(capacity: 1024)
        view.object { authorization.write(into: &$0) }
        var catalog: [UInt8]?
        if authorization.token.scope != .unscoped {
            var writer = JSONWriter(capacity: 4096)
            writer.object { CatalogStore.write(authorization.catalog, into: &$0) }
            catalog = Array(writer.bytes.dropFirst())
        }
        var rights = authorization
        rights.catalog = []
        return Verified(authorization: rights, moment: moment, withoutCatalog: view.bytes, catalog: catalog)
    }

    // MARK: Issuing

    /// Checks a token's rights and seals it.
    ///
    /// - Throws: `AuthorizationStore.Refusal` if the token would give nothing.
    func issue(_ token: Token) async throws -> (text: String, verified: Verified) {
        let moment = try await moment()
        let authorization = try await context.read { [authorizations] tx in try authorizations.authorization(of: token, in: tx) }
        let text = try sealer.text(of: token)
        let verified = Self.verified(authorization, moment)
        keep(verified, for: text)
        return (text, verified)
    }

    /// Returns a new audit id: 16 random bytes as 22 letters.
    func newAuditID() -> String { context.world.random.urlSafe(16) }

    // MARK: Revoking

    /// Revokes a token.
    ///
    /// - Parameter withDescendants: whether tokens that were made from it are revoked too. The tokens that it was made
    /// from stay valid.
    func revoke(_ token: Token, withDescendants: Bool) async throws {
        let own = token.auditIDs.first
        try await context.database.write { [context, revocations] tx in
            var event = Revocation(id: context.world.random.hexID(), at: context.world.now)
            event.auditID = own
            try revocations.insert(event, in: tx)
            guard withDescendants else { return }
            var chain = Revocation(id: context.world.random.hexID(), at: context.world.now)
            // A token names only the first token of its chain, so this event affects nothing unless that is the revoked
            // token.
            chain.auditChainID = own
            try revocations.insert(chain, in: tx)
        }
    }

    func token(of text: String) async throws -> Token? { try await sealer.token(of: text) }

    // MARK: The cache

    private func cached(_ text: String) -> Verified? {
        cache.withLock { cache in
            if let found = cache.young[text] { return found }
            guard let found = cache.old[text] else { return nil }
            cache.young[text] = found
            return found
        }
    }

    /// Adds a token to the cache. If the young generation is full, it becomes the old one, and the tokens of the former
    /// old one are dropped unless they were used since.
    private func keep(_ verified: Verified, for text: String) {
        let project = verified.authorization.principal.projectID?.text ?? ""
        cache.withLock { cache in
            if cache.young.count >= Self.mostCached { cache = Cache(young: [:], old: cache.young) }
            var verified = verified
            // An array that is equal to a shared one gives way to it.
            if let shared = cache.catalogs[project], shared == verified.catalog { verified.catalog = shared }
            cache.catalogs[project] = verified.catalog
            cache.young[text] = verified
        }
    }
}
