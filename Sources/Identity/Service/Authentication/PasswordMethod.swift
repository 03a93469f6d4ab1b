import CloudCore
import HTTPKit
import Resources

/// The authentication method of passwords, with a user's name or id.
struct PasswordMethod: Sendable {
    let identity: IdentityContext
    let users: UserService
    private let store = UserDirectory()
    private let passwords = PasswordStore()

    /// Checks a password.
    ///
    /// - Parameter address: the client's address; nil if it is not known.
    func prove(_ claim: AuthRequest.UserSecret, from address: String?) async throws -> Proof {
        let found = try await identity.base.read { tx in
            try store.find(claim.user, in: tx).map { ($0, try passwords.current(of: $0.id, in: tx)) }
        }
        let account = FailedLogIns.Account(found?.0, named: claim.user)
        try identity.logIns.check(account, from: address)
        let rules = PasswordPolicy(settings: identity.settings.compliance)
        let now = identity.world.now
        // A user who is locked out gets the same answer as a stranger, after the same time.
        let isLockedOut = found.map { rules.isLockedOut($0.0, at: now) } ?? false
        let isRight = try await identity.hasher.verify(claim.secret, found?.1?.hash)
        guard let (user, current) = found, let current, isRight, !isLockedOut else {
            if let user = found?.0, !isLockedOut { try await users.noteFailure(of: user) }
            identity.logIns.noteFailure(account, from: address)
            throw TokenService.refused(isLockedOut ? "locked out" : "a wrong user or password")
        }
        try identity.logIns.check(account, from: address)
        // From here on the caller is known to be the user, so the errors may give the reason.
        guard user.isEnabled, !rules.isInactive(user, at: now) else { throw TokenService.refused("disabled") }
        if let end = current.expiresAt, end <= now, !user.has(User.Option.ignorePasswordExpiry) {
            throw CloudError(.unauthenticated, "The password is expired and needs to be changed for user: \(user.id).")
        }
        try await users.noteSuccess(of: user)
        identity.logIns.noteSuccess(account, from: address)
        return Proof(user: user, .password)
    }
}
