import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The users and their passwords.
struct UserService: IdentityService {
    typealias R = User

    let identity: IdentityContext
    private let passwords = PasswordStore()
    private let assignments = AssignmentStore()
    private let revocations = RevocationStore()

    private var rules: PasswordPolicy { PasswordPolicy(settings: identity.settings.compliance) }

    func conflict(with user: User) -> CloudError { .conflict("A user named '\(user.name)' exists in the domain already.") }

    // MARK: Create and change

    func ready(_ given: inout Given<User>) async throws {
        guard case .set(let password) = given.password else { return }
        let secret = Secret(password)
        try rules.checkStrength(secret)
        given.hash = try await identity.hasher.hash(secret)
    }

    func complete(_ user: inout User, _ given: Given<User>, by caller: Principal) throws {
        user.createdAt = context.world.now
        if !given.has(\.domainID) { user.domainID = try identity.domain(for: caller) }
        user.options = user.options.withoutNulls
    }

    func willCreate(_ user: inout User, _ given: Given<User>, by caller: Principal, in tx: Transaction) throws {
        try tx.requireDomain(user.domainID)
        try checkDefaultProject(user.defaultProjectID, in: tx)
        if given.hash != nil { user.passwordExpiresAt = rules.expiryWhenReset(at: context.world.now, for: user) }
    }

    func didCreate(_ user: User, _ given: Given<User>, by caller: Principal, in tx: Transaction) throws {
        if let hash = given.hash { try reset(user, hash, in: tx) }
    }

    func willUpdate(_ user: inout User, from old: User, _ given: Given<User>, by caller: Principal, in tx: Transaction) throws {
        user.options = user.options.merged(into: old.options)
        if user.defaultProjectID != old.defaultProjectID { try checkDefaultProject(user.defaultProjectID, in: tx) }
        // A user who is enabled again starts without failures or inactivity.
        if given.has(\.isEnabled), user.isEnabled {
            user.failedAttempts = 0
            user.failedAt = nil
            user.lastActiveDay = Int(context.world.now.seconds / 86_400)
        }
        switch given.password {
        case .keep: break
        case .clear: user.passwordExpiresAt = nil
        case .set: user.passwordExpiresAt = rules.expiryWhenReset(at: context.world.now, for: user)
        }
    }

    func didUpdate(_ user: User, from old: User, _ given: Given<User>, by caller: Principal, in tx: Transaction) throws {
        if let hash = given.hash { try reset(user, hash, in: tx) }
        if given.password == .clear { try passwords.removeAll(of: user.id, in: tx) }
        let isDisabled = old.isEnabled && !user.isEnabled
        if isDisabled || given.password != .keep { try revokeTokens(of: user.id, in: tx) }
        // The application credentials are not restored when the user is enabled again.
        if isDisabled { try ApplicationCredentialStore().deleteAll(of: user.id, in: tx) }
    }

    func willDelete(_ user: User, by caller: Principal, in tx: Transaction) throws {
        try assignments.deleteAll(of: .user(user.id), in: tx)
    }

    // MARK: Lists

    func listTarget(_ query: Query, by caller: Principal) -> PolicyTarget {
        caller.domainID.map { ["target.domain_id": $0.text] } ?? [:]
    }

    func narrow(_ list: inout ListQuery, _ query: Query, by caller: Principal, in tx: Transaction) throws {
        // A caller with a domain in scope sees only that domain.
        if let domain = caller.domainID { list.filter("domain_id", .equals, domain) }
        if let text = query["password_expires_at"] { try Self.filter(&list, byExpiry: text) }
        // There is no federation, so no user comes from another identity provider.
        if query.has("idp_id") || query.has("protocol_id") || query.has("unique_id") { list.raw.append(("1 = 0", [])) }
    }

    /// Filters by a comparison and a moment, such as `lt:2026-12-08T22:02:00Z`.
    private static func filter(_ list: inout ListQuery, byExpiry text: String) throws {
        let comparisons: [String: ListQuery.Comparison] = [
            "lt": .less, "lte": .lessOrEqual, "gt": .greater, "gte": .greaterOrEqual, "eq": .equals, "neq": .notEquals,
        ]
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2, let comparison = comparisons[parts[0]], let moment = Timestamp(iso8601: parts[1]) else {
            throw CloudError.badRequest(
                "password_expires_at must be a comparison (lt, lte, gt, gte, eq, neq), a colon and a moment: lt:2026-12-08T22:02:00Z.")
        }
        list.filter("password_expires_at", comparison, moment)
    }

    // MARK: Passwords

    /// Changes a user's own password. It needs no token: the old password proves the user's identity.
    ///
    /// - Parameter address: the client's address; nil if it is not known.
    func changePassword(_ id: ID<Kind.User>, _ body: JSONObject, from address: String?) async throws {
        let given = try PasswordChange.form.parse(body, inside: "user")
        let (original, wanted) = (Secret(given.original), Secret(given.wanted))
        let now = context.world.now
        let (user, kept) = try await context.read { tx in
            (try store.find(id, in: tx), try passwords.newest(max(rules.history, 1), of: id, in: tx))
        }
        let account = FailedLogIns.Account(id)
        try identity.logIns.check(account, from: address)
        // The answer and its time are the same for a user who does not exist.
        let isRight = try await identity.hasher.verify(original, kept.first?.hash)
        guard let user, let current = kept.first, isRight, user.isEnabled, !rules.isLockedOut(user, at: now) else {
            if let user { try await noteFailure(of: user) }
            identity.logIns.noteFailure(account, from: address)
            throw TokenService.refused("a wrong original password")
        }
        try identity.logIns.check(account, from: address)
        try identity.countRevocation(by: id)
        guard !user.has(User.Option.lockPassword) else {
            throw CloudError.badRequest("Changing your own password is locked by an administrator.")
        }
        try rules.checkStrength(wanted)
        try rules.checkAge(current, at: now)
        for old in kept.prefix(identity.settings.compliance.uniqueLastPasswordCount)
        where try await identity.hasher.verify(wanted, old.hash) {
            throw CloudError.badRequest(
                "The new password must differ from the last \(identity.settings.compliance.uniqueLastPasswordCount).")
        }
        let hash = try await identity.hasher.hash(wanted)
        // This does not mark Identity's topic, so cached tokens of other users stay valid. The event ends this user's
        // tokens.
        try await context.database.write { tx in
            // Another request may have changed the password since it was read.
            guard let present = try passwords.current(of: id, in: tx), present.number == current.number else {
                throw CloudError.conflict("The password was changed by somebody else at the same time.")
            }
            try passwords.add(
                .init(
                    number: current.number + 1, hash: hash, createdAt: now, expiresAt: rules.expiry(from: now, for: user),
                    isByOwner: true),
                of: id, keeping: rules.history, in: tx)
            try UserStore().forgetFailures(of: id, in: tx)
            try revokeTokens(of: id, in: tx)
        }
    }

    /// Counts a wrong password towards the lockout.
    func noteFailure(of user: User) async throws {
        guard identity.settings.compliance.lockoutFailureAttempts != nil, !user.has(User.Option.ignoreLockout) else { return }
        let now = context.world.now
        let isOver = user.failedAt.map { now >= $0 + identity.settings.compliance.lockoutDuration } ?? false
        try await context.database.write { tx in
            try UserStore().noteFailure(of: user.id, at: now, isFirst: isOver, in: tx)
        }
    }

    /// Records a right password, if anything depends on it.
    func noteSuccess(of user: User) async throws {
        let today = Int(context.world.now.seconds / 86_400)
        let isDayNews = identity.settings.compliance.disableUserAccountDaysInactive != nil && user.lastActiveDay != today
        guard user.failedAttempts > 0 || isDayNews else { return }
        try await context.database.write { tx in
            try UserStore().noteSuccess(of: user.id, day: today, in: tx)
        }
    }

    /// Sets a password for another user. The history does not bind an administrator.
    private func reset(_ user: User, _ hash: String, in tx: Transaction) throws {
        let last = try passwords.current(of: user.id, in: tx)?.number ?? 0
        try passwords.add(
            .init(
                number: last + 1, hash: hash, createdAt: context.world.now, expiresAt: user.passwordExpiresAt, isByOwner: false),
            of: user.id, keeping: rules.history, in: tx)
    }

    /// Ends all tokens of a user. It serves users who have lost a token and cannot change their password.
    func revokeTokens(of id: ID<Kind.User>, by caller: Principal) async throws {
        try identity.countRevocation(by: caller.userID)
        try await context.database.write { tx in
            try context.policy.require(.revokeTokensForUser, caller, try pathTarget(id, in: tx))
            _ = try store.require(id, in: tx)
            try revokeTokens(of: id, in: tx)
        }
    }

    /// Ends every token of the user that was issued until now. They do not become valid again.
    func revokeTokens(of id: ID<Kind.User>, in tx: Transaction) throws {
        var event = Revocation(id: context.world.random.hexID(), at: context.world.now)
        event.userID = id
        try revocations.insert(event, in: tx)
    }

    // MARK: Parts

    private func checkDefaultProject(_ id: ID<Kind.Project>?, in tx: Transaction) throws {
        guard let id else { return }
        guard try ProjectStore().isDomain(id, in: tx) != true else {
            throw CloudError.badRequest("User's default project must not be a domain: \(id).")
        }
    }

    /// Returns the policy's target for a user in a path. If there is no such user, the target has only the id in the
    /// path.
    func pathTarget(_ id: ID<Kind.User>, in tx: Transaction) throws -> PolicyTarget {
        guard let user = try store.find(id, in: tx) else { return ["user_id": id.text] }
        return ["user_id": id.text, "target.user.id": id.text, "target.user.domain_id": user.domainID.text]
    }
}
