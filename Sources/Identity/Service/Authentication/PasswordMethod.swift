import CloudCore
import HTTPKit
import Resources

/// A name or an id, and a password.
struct PasswordMethod: Sendable {
    let identity: IdentityContext
    let users: UserService
    private let store = UserDirectory()
    private let passwords = PasswordStore()

    func prove(_ claim: AuthRequest.UserSecret) async throws -> Proof {
        let found = try await identity.base.read { tx in
            try store.find(claim.user, in: tx).map { ($0, try passwords.current(of: $0.id, in: tx)) }
        }
        let rules = PasswordPolicy(settings: identity.settings.compliance)
        let now = identity.world.now
        // Somebody who is locked out is told what a stranger is told, and after the same time.
        let isLockedOut = found.map { rules.isLockedOut($0.0, at: now) } ?? false
        let isRight = try await identity.hasher.verify(claim.secret, found?.1?.hash)
        guard let (user, current) = found, let current, isRight, !isLockedOut else {
            if let user = found?.0, !isLockedOut { try await users.noteFailure(of: user) }
            throw TokenService.refused(isLockedOut ? "locked out" : "a wrong user or password")
        }
        // From here on it is the user who asks, so they may know why they are refused.
        guard user.isEnabled, !rules.isInactive(user, at: now) else { throw TokenService.refused("disabled") }
        if let end = current.expiresAt, end <= now, !user.has(User.Option.ignorePasswordExpiry) {
            throw CloudError(.unauthenticated, "The password is expired and needs to be changed for user: \(user.id).")
        }
        try await users.noteSuccess(of: user)
        return Proof(user: user, .password)
    }
}
