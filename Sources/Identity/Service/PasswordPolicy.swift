import CloudCore

/// The rules for new passwords, for the end of passwords, and for lockouts.
struct PasswordPolicy: Sendable {
    let settings: ComplianceSettings
    private let day: Int64 = 86_400

    /// The most bytes of a password. The bound limits the cost of hashing.
    static let longest = Limits.thing.password.most

    /// Checks a new password.
    ///
    /// - Throws: `CloudError.badRequest` that says why the password is refused.
    func checkStrength(_ password: Secret) throws {
        guard !password.isEmpty else { throw CloudError.badRequest("The password must not be empty.") }
        guard password.utf8Count <= Self.longest else { throw CloudError.badRequest("The password is too long.") }
        guard let pattern = settings.passwordRegex else { return }
        guard let regex = try? Regex(pattern) else { throw CloudError.internalError("password_regex is no regular expression") }
        guard (try? regex.wholeMatch(in: password.reveal())) != nil else {
            let wanted = settings.passwordRegexDescription ?? "the cloud's rules"
            throw CloudError.badRequest("The password does not match the requirements: \(wanted).")
        }
    }

    /// Returns the end of a password that its user sets now; nil for never.
    func expiry(from now: Timestamp, for user: User) -> Timestamp? {
        guard let days = settings.passwordExpiresDays, !user.has(User.Option.ignorePasswordExpiry) else { return nil }
        return now + .seconds(Int64(days) * day)
    }

    /// Returns the end of a password that somebody else sets now. If it must be changed before use, it ends at once.
    func expiryWhenReset(at now: Timestamp, for user: User) -> Timestamp? {
        if settings.changePasswordUponFirstUse, !user.has(User.Option.ignoreChangePasswordUponFirstUse),
            !user.has(User.Option.lockPassword)
        {
            return now
        }
        return expiry(from: now, for: user)
    }

    /// Checks that a user may change their password again.
    ///
    /// - Throws: `CloudError.badRequest` if the user set it too recently.
    func checkAge(_ current: PasswordStore.Password, at now: Timestamp) throws {
        guard settings.minimumPasswordAgeDays > 0, current.isByOwner else { return }
        let from = current.createdAt + .seconds(Int64(settings.minimumPasswordAgeDays) * day)
        guard now >= from else {
            throw CloudError.badRequest(
                "The password cannot be changed before \(from.iso8601Seconds): it must be kept for "
                    + "\(settings.minimumPasswordAgeDays) days. Ask your administrator to reset it.")
        }
    }

    /// The number of recent passwords that are kept to be compared with a new one.
    var history: Int { max(settings.uniqueLastPasswordCount, 1) }

    func isLockedOut(_ user: User, at now: Timestamp) -> Bool {
        guard let most = settings.lockoutFailureAttempts, !user.has(User.Option.ignoreLockout), user.failedAttempts >= most,
            let failedAt = user.failedAt
        else { return false }
        return now < failedAt + settings.lockoutDuration
    }

    /// Tells whether the user has not authenticated for too long.
    func isInactive(_ user: User, at now: Timestamp) -> Bool {
        guard let days = settings.disableUserAccountDaysInactive, !user.has(User.Option.ignoreInactivity) else { return false }
        let last = Int64(user.lastActiveDay ?? Int(user.createdAt.seconds / day))
        return now.seconds / day - last >= Int64(days)
    }
}
